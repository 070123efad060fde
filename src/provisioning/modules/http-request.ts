/** What uri and get_url share: how a task's arguments become a request that the session sends from the host. */
import type { JsonObject } from "../../base/json.ts";
import type { Answers, HttpAnswer, HttpRequest, Question } from "../host/question.ts";
import type { Source } from "../host/step.ts";
import { answerTo } from "./answers.ts";
import { flag, list, map, path, refused, text } from "./arguments.ts";
import { type DigestAlgorithm, digestOf } from "./digest.ts";
import { baseName, hostPath } from "./host-path.ts";
import type { ModuleContext } from "./module.ts";

/** What a task may register. */
const maxBodyBytes = 256 * 1024 * 1024;
/** A file goes through a file of the controller, not through its memory. */
export const maxFileBytes = 64 * 1024 ** 3;
const spoolAboveBytes = 4 * 1024 * 1024;

export const httpArgs = {
  url: text("The address, http or https, as seen from the host.", { required: true }),
  headers: map("Headers of the request.", { default: {} }),
  url_username: text("User for basic authentication.", { aliases: ["username", "user"] }),
  url_password: text("Password for basic authentication.", { aliases: ["password"], secret: true }),
  force_basic_auth: flag("Of Ansible; the password is sent with the first request anyway.", {
    default: false,
  }),
  http_agent: text("The User-Agent header.", { default: "provision" }),
  validate_certs: flag("Check the server's certificate.", { default: true }),
  use_proxy: flag("Go through the proxy that http_proxy and https_proxy of the task's environment name.", {
    default: true,
  }),
  unredirected_headers: list("Headers that are not sent on to another host.", { default: [] }),
  ciphers: refused("is not chosen here: both sides agree on the best that they have"),
  use_gssapi: refused("is not possible: give url_username and url_password, or headers", { unless: false }),
  use_netrc: refused("is not possible: no netrc is read; give url_username and url_password", {
    unless: false,
  }),
  decompress: flag("Unpack a compressed answer.", { default: true }),
  unix_socket: path("A socket of the host instead of TCP, reached as the user who logs in."),
  client_cert: path("A certificate (PEM, of the host) to log in with; it may hold the key too."),
  client_key: path("The certificate's key (PEM, of the host)."),
  ca_path: path("Certificates (PEM, of the host) to check the server's with, instead of the usual ones."),
};

export interface HttpArgs {
  readonly url: string;
  readonly headers: JsonObject;
  readonly url_username?: string | undefined;
  readonly url_password?: string | undefined;
  readonly http_agent: string;
  readonly validate_certs: boolean;
  readonly use_proxy?: boolean;
  readonly unredirected_headers?: readonly string[];
  readonly decompress?: boolean;
  readonly unix_socket?: string | undefined;
}
interface ClientArgs {
  readonly client_cert?: string | undefined;
  readonly client_key?: string | undefined;
  readonly ca_path?: string | undefined;
}

interface RequestOptions {
  readonly method: string;
  readonly timeoutMs: number;
  readonly followRedirects: HttpRequest["followRedirects"];
  readonly body?: Uint8Array | undefined;
  readonly more?: Readonly<Record<string, string>>;
  readonly tls?: HttpRequest["tls"];
  /** The body is a file's: digests by these algorithms. */
  readonly digests?: readonly string[];
}

export function requestOf(args: HttpArgs, options: RequestOptions): HttpRequest {
  const given = Object.entries(args.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const has = (name: string) => given.some(([other]) => other.toLowerCase() === name.toLowerCase());
  const defaults = { "User-Agent": args.http_agent, ...authorization(args), ...options.more };
  const missing = Object.entries(defaults).filter(([name]) => !has(name));
  return {
    url: args.url,
    method: options.method.toUpperCase(),
    headers: Object.fromEntries([...missing, ...given]),
    ...(options.body === undefined ? {} : { body: options.body }),
    timeoutMs: options.timeoutMs,
    followRedirects: options.followRedirects,
    validateCerts: args.validate_certs,
    maxBodyBytes: options.digests === undefined ? maxBodyBytes : maxFileBytes,
    ...(options.digests === undefined
      ? {}
      : { spool: { aboveBytes: spoolAboveBytes, digests: options.digests } }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(args.use_proxy === false ? {} : { useProxy: true }),
    ...(args.decompress === false ? {} : { decompress: true }),
    ...(args.unix_socket === undefined ? {} : { unixSocket: args.unix_socket }),
    ...(args.unredirected_headers?.length ? { unredirected: args.unredirected_headers } : {}),
  };
}

const clientFiles = ({ client_cert: cert, client_key: key, ca_path: ca }: ClientArgs) =>
  Object.entries({ cert, key, ca }).filter((entry): entry is [string, string] => entry[1] !== undefined);

/** Certificates are files of the host: asked for first, so that the request can carry them. */
export const askClient = (args: ClientArgs, context: ModuleContext): readonly Question[] =>
  clientFiles(args).map(([, file]) => ({
    of: "path",
    path: hostPath(file, context),
    want: ["stat", "content"],
    follow: true,
  }));

/** What `askClient` heard; its answers are the last ones. */
function clientAnswers(args: ClientArgs, answers: Answers) {
  const files = clientFiles(args);
  const first = answers.length - files.length;
  return files.map(([what, file], index) => {
    const { content } = answerTo(answers, first + index, "path");
    return { what, file, content };
  });
}

export const wrongClient = (args: ClientArgs, answers: Answers): string | undefined => {
  const wrong = clientAnswers(args, answers).find(({ content }) => content === undefined);
  return wrong && `"${wrong.file}" is not a file of the host that this user may read`;
};

export function tlsOf(args: ClientArgs, answers: Answers): NonNullable<HttpRequest["tls"]> | undefined {
  const files = clientAnswers(args, answers).flatMap(({ what, content }) =>
    content === undefined ? [] : [[what, content] as const],
  );
  if (files.length === 0) return undefined;
  const tls: NonNullable<HttpRequest["tls"]> = Object.fromEntries(files);
  return tls.cert !== undefined && tls.key === undefined ? { ...tls, key: tls.cert } : tls;
}

/** The body, in memory or in a file of the controller. */
export const bodySource = ({ body, file }: HttpAnswer): Source =>
  file === undefined
    ? { bytes: body }
    : { file: file.file, sha256: file.digests.sha256 ?? "", sizeBytes: file.sizeBytes };

export const bodyDigest = ({ body, file }: HttpAnswer, algorithm: DigestAlgorithm): string =>
  file === undefined ? digestOf(body, algorithm) : (file.digests[algorithm] ?? "");

function authorization(args: HttpArgs): Readonly<Record<string, string>> {
  const inUrl = URL.parse(args.url);
  const user = args.url_username ?? decodeURIComponent(inUrl?.username ?? "");
  const password = args.url_password ?? decodeURIComponent(inUrl?.password ?? "");
  if (user === "" && password === "") return {};
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

/** A sentence for an address that cannot be asked. */
export function wrongUrl(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return `"${url}" is not an address`;
  return ["http:", "https:"].includes(parsed.protocol) ? undefined : `"${url}" is not http or https`;
}

/** Headers as Ansible registers them: lower case, dashes as underscores, a whole address for location, cookies apart. */
export function headerResult({ headers, url }: HttpAnswer): JsonObject {
  const named = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase().replaceAll("-", "_"),
    value,
  ]);
  const result: JsonObject = Object.fromEntries(named);
  const location = typeof result.location === "string" ? URL.parse(result.location, url)?.href : undefined;
  // Several cookies come in one line, and the commas of their dates do not part them.
  const lines = typeof result.set_cookie === "string" ? result.set_cookie.split(/,(?=\s*[^\s;,=]+=)/) : [];
  const cookies = lines.map((line) => /^\s*([^=;\s]+)=([^;]*)/.exec(line)?.slice(1) ?? []);
  return {
    ...result,
    ...(location === undefined ? {} : { location }),
    cookies: Object.fromEntries(cookies.map(([name = "", value = ""]) => [name, value])),
    cookies_string: cookies.map((cookie) => cookie.join("=")).join("; "),
  };
}

/** As Ansible puts it: what an answer is, in words. */
export function answerText(answer: HttpAnswer): string {
  if (answer.failure !== undefined) return answer.failure;
  if (answer.status >= 300) {
    // Not imported: apt_key and others load this file, and node:http takes 15 ms that most runs never need.
    const { STATUS_CODES } = process.getBuiltinModule("node:http");
    return `HTTP Error ${answer.status}: ${STATUS_CODES[answer.status] ?? ""}`.trimEnd();
  }
  return `OK (${headerOf(answer, "content-length") ?? "unknown"} bytes)`;
}

/** Without the user and the password that it may hold. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.username === "" && parsed.password === "")) return url;
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

/** A body as text, in the encoding that it is said to be in. */
export function bodyText(answer: HttpAnswer): string {
  const charset = /charset="?([\w-]+)/i.exec(headerOf(answer, "content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(answer.body);
  } catch {
    return new TextDecoder().decode(answer.body);
  }
}

/** The name that the server gives a file, or its address does, where it was found at last. */
export function nameOfBody(answer: HttpAnswer): string {
  const said = /filename="?([^";]+)"?/i.exec(headerOf(answer, "content-disposition") ?? "")?.[1];
  return baseName(said ?? "") || nameInUrl(answer.url);
}
export const nameInUrl = (url: string): string => baseName(URL.parse(url)?.pathname ?? "/") || "index.html";

export const headerOf = ({ headers }: HttpAnswer, name: string): string | undefined =>
  Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1];
