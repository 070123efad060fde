import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { JsonValue } from "../../base/json.ts";
import { HttpError } from "./http-error.ts";
import { Query } from "./query.ts";
import type { Params } from "./route-pattern.ts";

/** A request as handlers see it. The body is read on demand, at most once, so that it can also be proxied unread. */
export class HttpRequest {
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  /** With the leading "?", or empty. */
  readonly search: string;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly params: Params;
  /** Who the `authenticate` hook found to be calling. */
  readonly principal: string | undefined;
  readonly incoming: IncomingMessage;
  readonly #maxBodyBytes: number;
  #body: Promise<Buffer> | undefined;

  constructor(incoming: IncomingMessage, maxBodyBytes: number) {
    const url = incoming.url ?? "/";
    const mark = url.indexOf("?");
    this.method = incoming.method ?? "GET";
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.search = mark < 0 ? "" : url.slice(mark);
    this.query = new Query(this.search);
    this.headers = incoming.headers;
    this.params = {};
    this.principal = undefined;
    this.incoming = incoming;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** The same request with what routing and authentication found; the body stays shared. */
  with(found: { readonly params?: Params; readonly principal?: string }): HttpRequest {
    const copy = new HttpRequest(this.incoming, this.#maxBodyBytes);
    copy.#body = this.#body;
    return Object.assign(copy, {
      params: found.params ?? this.params,
      principal: found.principal ?? this.principal,
    });
  }

  /** A header's value; repeated ones joined. */
  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get remoteAddress(): string {
    return this.incoming.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  }

  get remotePort(): number {
    return this.incoming.socket.remotePort ?? 0;
  }

  /** What answers may be in, from Accept. Absent means anything. */
  accepts(type: string): boolean {
    const accept = this.header("accept");
    if (accept === undefined || accept.trim() === "") return true;
    const [main] = type.split("/");
    const ranges = accept.split(",").map((range) => range.split(";")[0]?.trim().toLowerCase());
    return ranges.some((range) => range === type || range === `${main}/*` || range === "*/*");
  }

  bytes(): Promise<Buffer> {
    this.#body ??= readBody(this.incoming, this.#maxBodyBytes);
    return this.#body;
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString("utf8");
  }

  /** A broken body is a 400 in Marathon's words. */
  async json(): Promise<JsonValue> {
    const text = await this.text();
    try {
      return JSON.parse(text) as JsonValue;
    } catch (cause) {
      const details = cause instanceof Error ? cause.message : String(cause);
      throw new HttpError({ status: 400, message: "Invalid JSON", details, cause });
    }
  }
}

export async function readBody(incoming: IncomingMessage, maxBodyBytes: number): Promise<Buffer> {
  const tooLarge = (): HttpError =>
    new HttpError({
      status: 413,
      message: `The body is larger than ${maxBodyBytes} bytes`,
      headers: { Connection: "close" },
    });
  if (Number(incoming.headers["content-length"] ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
