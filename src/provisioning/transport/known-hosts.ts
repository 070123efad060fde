/** known_hosts: hashed names, patterns, [host]:port, @revoked. Certificate authorities are left out. */
import { createHash, createHmac } from "node:crypto";

export interface KnownHostLine {
  readonly marker: "" | "@revoked" | "@cert-authority";
  readonly hosts: string;
  readonly keyType: string;
  readonly key: string;
  readonly line: number;
}

export function parseKnownHosts(text: string): KnownHostLine[] {
  const found: KnownHostLine[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const words = raw.trim().split(/\s+/);
    if (words[0] === undefined || words[0] === "" || words[0].startsWith("#")) continue;
    const marker = words[0] === "@revoked" || words[0] === "@cert-authority" ? words[0] : "";
    if (words[0].startsWith("@") && marker === "") continue;
    const [hosts, keyType, key] = marker === "" ? words : words.slice(1);
    if (hosts === undefined || keyType === undefined || key === undefined) continue;
    found.push({ marker, hosts, keyType, key, line: i + 1 });
  }
  return found;
}

/** The name under which a host is listed: the port is part of it unless it is 22. */
export const listedName = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;

export function isListed({ hosts }: KnownHostLine, name: string): boolean {
  if (hosts.startsWith("|1|")) return isHashOf(hosts, name);
  let listed = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!matches(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    listed = true;
  }
  return listed;
}

function isHashOf(hosts: string, name: string): boolean {
  const [, , salt = "", hash = ""] = hosts.split("|");
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

const matches = (pattern: string, name: string): boolean =>
  /[*?]/.test(pattern) ? wildcard(pattern).test(name) : pattern === name;

const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );

export type HostKeyVerdict =
  | { readonly is: "known" | "unknown" }
  | { readonly is: "changed" | "revoked"; readonly line: KnownHostLine };

/**
 * A host listed with other keys only has changed its key, of whatever type: known types are offered first in the
 * handshake, so a server that still had its old key would have shown it.
 */
export function judgeHostKey(lines: readonly KnownHostLine[], name: string, key: Buffer): HostKeyVerdict {
  const shown = key.toString("base64");
  const listed = lines.filter((line) => line.marker !== "@cert-authority" && isListed(line, name));
  const revoked = lines.find(
    (line) => line.marker === "@revoked" && line.key === shown && isListed(line, name),
  );
  if (revoked) return { is: "revoked", line: revoked };
  const valid = listed.filter((line) => line.marker === "");
  if (valid.some((line) => line.key === shown)) return { is: "known" };
  const [other] = valid;
  return other ? { is: "changed", line: other } : { is: "unknown" };
}

export const keyTypeOf = (key: Buffer): string => key.toString("latin1", 4, 4 + key.readUInt32BE(0));

/** As `ssh` and `ssh-keygen -l` print it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
