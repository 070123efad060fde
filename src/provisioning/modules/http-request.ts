/** What uri and get_url share: how a task's arguments become a request that the session sends from the host. */
import type { JsonObject } from "../../base/json.ts";
import type { HttpAnswer, HttpRequest } from "../host/question.ts";
import { flag, list, map, path, refused, text } from "./arguments.ts";

/** A body that is longer goes through neither the session nor the controller's memory. */
export const maxBodyBytes = 256 * 1024 * 1024;

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
  use_proxy: flag("Of Ansible; requests go straight to the address.", { default: true }),
  unredirected_headers: list("Headers that are not sent on to another host.", { default: [] }),
  ciphers: refused("is not chosen here: both sides agree on the best that they have"),
  use_gssapi: refused("is not possible: give url_username and url_password, or headers", { unless: false }),
  use_netrc: refused("is not possible: no netrc is read; give url_username and url_password", {
    unless: false,
  }),
  decompress: flag("Unpack a compressed answer.", { default: true }),
  unix_socket: path("A socket of the host instead of TCP: not possible yet."),
};

export interface HttpArgs {
  readonly url: string;
  readonly headers: JsonObject;
  readonly url_username?: string | undefined;
  readonly url_password?: string | undefined;
  readonly http_agent: string;
  readonly validate_certs: boolean;
}

interface RequestOptions {
  readonly method: string;
  readonly timeoutMs: number;
  readonly followRedirects: HttpRequest["followRedirects"];
  readonly body?: Uint8Array | undefined;
  readonly more?: Readonly<Record<string, string>>;
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
    maxBodyBytes,
  };
}

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

/** Headers as Ansible registers them: lower case, dashes as underscores. */
export const headerResult = ({ headers }: HttpAnswer): JsonObject =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase().replaceAll("-", "_"), value]),
  );

export const headerOf = ({ headers }: HttpAnswer, name: string): string | undefined =>
  Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1];
