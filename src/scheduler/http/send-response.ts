import type { ServerResponse } from "node:http";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { HttpError } from "./http-error.ts";
import type { HttpRequest } from "./request.ts";
import type { HttpResponse, ResponseBody } from "./response.ts";
import { responseSink } from "./response-sink.ts";

const gzipAsync = promisify(gzip);
/** Smaller answers gain nothing from gzip. */
const gzipFromBytes = 2048;

/** Writes a handler's answer: JSON or JSONP, gzip where it pays and the client takes it, no body for HEAD. */
export async function sendResponse(
  request: HttpRequest,
  answer: HttpResponse,
  response: ServerResponse,
  maxPendingBytes: number,
): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    response.setHeader(name, value);
  }
  if (answer.body !== undefined && "stream" in answer.body) {
    response.flushHeaders();
    if (request.method === "HEAD") response.end();
    else await answer.body.stream(responseSink(response, maxPendingBytes));
    return;
  }
  await sendWhole(request, answer.body, response);
}

async function sendWhole(
  request: HttpRequest,
  body: Exclude<ResponseBody, { stream: unknown }> | undefined,
  response: ServerResponse,
): Promise<void> {
  if (body === undefined) {
    if (response.statusCode !== 204 && response.statusCode !== 304) response.setHeader("Content-Length", 0);
    response.end();
    return;
  }
  const { bytes, type } = encodeBody(request, body);
  if (!response.hasHeader("Content-Type")) response.setHeader("Content-Type", type);
  const packed = await pack(request, bytes, response);
  response.setHeader("Content-Length", packed.length);
  response.end(request.method === "HEAD" ? undefined : packed);
}

function encodeBody(
  request: HttpRequest,
  body: Exclude<ResponseBody, { stream: unknown }>,
): { readonly bytes: Uint8Array; readonly type: string } {
  if ("bytes" in body) return body;
  if ("text" in body) return { bytes: Buffer.from(body.text), type: body.type };
  const json = JSON.stringify(body.json);
  const callback = request.method === "GET" ? request.query.get("jsonp") : undefined;
  if (callback === undefined || !isCallback(callback))
    return { bytes: Buffer.from(json), type: "application/json" };
  // U+2028 and U+2029 are line ends in old JavaScript.
  const safe = json.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  return { bytes: Buffer.from(`${callback}(${safe});`), type: "text/javascript" };
}

const isCallback = (text: string): boolean => /^[\w$][\w$.]{0,127}$/.test(text);

/** A callback that is no plain name would be script injection. */
export function checkJsonp(request: HttpRequest): void {
  const callback = request.query.get("jsonp");
  if (callback === undefined || isCallback(callback)) return;
  throw new HttpError({ status: 400, message: 'Query parameter "jsonp" must be a function\'s name' });
}

async function pack(request: HttpRequest, bytes: Uint8Array, response: ServerResponse): Promise<Uint8Array> {
  if (bytes.length < gzipFromBytes || response.hasHeader("Content-Encoding")) return bytes;
  response.appendHeader("Vary", "Accept-Encoding");
  if (!takesGzip(request.header("accept-encoding"))) return bytes;
  response.setHeader("Content-Encoding", "gzip");
  return await gzipAsync(bytes, { level: constants.Z_BEST_SPEED });
}

function takesGzip(accept: string | undefined): boolean {
  return (accept ?? "").split(",").some((entry) => {
    const [coding, ...params] = entry.split(";").map((part) => part.trim().toLowerCase());
    return coding === "gzip" && !params.some((param) => /^q=0(\.0*)?$/.test(param));
  });
}
