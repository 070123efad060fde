import { createHash, timingSafeEqual } from "node:crypto";
import { HttpError } from "./http-error.ts";
import type { HttpRequest } from "./request.ts";

export interface BasicAuthOptions {
  readonly realm: string;
  /** Password by user. */
  readonly users: ReadonlyMap<string, string>;
  /** Paths that anyone may ask for, such as health checks. */
  readonly isOpen?: (request: HttpRequest) => boolean;
}

/** An `authenticate` hook for createServer: basic authentication, 401 otherwise. */
export function basicAuth({ realm, users, isOpen }: BasicAuthOptions) {
  return (request: HttpRequest): string | undefined => {
    if (isOpen?.(request) === true) return undefined;
    const given = credentialsOf(request);
    const password = given === undefined ? undefined : users.get(given.user);
    if (given !== undefined && password !== undefined && isSame(given.password, password)) return given.user;
    const headers = { "WWW-Authenticate": `Basic realm="${realm.replace(/["\\\r\n]/g, "")}"` };
    throw new HttpError({ status: 401, message: "Invalid username or password.", headers });
  };
}

function credentialsOf(
  request: HttpRequest,
): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^basic\s+([\w+/=-]+)$/i.exec(request.header("authorization") ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Compares digests, so that neither length nor content can be timed. */
const isSame = (left: string, right: string): boolean => timingSafeEqual(digest(left), digest(right));

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
