/** /files/browse, /files/read and /files/download: a sandbox's files and logs, and nothing outside of what is attached. */
import { createReadStream } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { HttpError } from "../../http/http-error.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import { type HttpResponse, jsonResponse, streamResponse } from "../../http/response.ts";
import { groupName, userName } from "./account-names.ts";

/** Maps a virtual path (`/slave/log`, an executor's directory) to where it is; undefined when nothing is there. */
export type AttachedPaths = (path: string) => string | undefined;

/** At most so much per read. */
const maxReadBytes = 65_536;

export function filesRoutes(attached: AttachedPaths): Route[] {
  const route = (
    name: string,
    handle: (path: string, request: HttpRequest) => Promise<HttpResponse>,
  ): Route[] =>
    [`/files/${name}`, `/files/${name}.json`].map((path) => ({
      method: "GET",
      path,
      handle: async (request) => await handle(await resolveWanted(attached, request), request),
    }));
  return [
    ...route("browse", (path, request) => browse(path, request.query.get("path") ?? "")),
    ...route("read", read),
    ...route("download", download),
  ];
}

async function resolveWanted(attached: AttachedPaths, request: HttpRequest): Promise<string> {
  const wanted = request.query.get("path");
  if (wanted === undefined || wanted === "")
    throw new HttpError({ status: 400, message: "Expecting 'path=value' in query." });
  const trimmed = wanted.replace(/\/+$/, "");
  if (trimmed.split("/").includes("..")) throw notFound();
  for (let prefix = trimmed; prefix !== ""; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")))) {
    const root = attached(prefix);
    if (root === undefined) continue;
    const rest = trimmed.slice(prefix.length).replace(/^\/+/, "");
    return await insideOf(root, rest);
  }
  throw notFound();
}

const notFound = (): HttpError => new HttpError({ status: 404, message: "Failed to find the path" });

/** Links and `..` may not lead out of the attached folder. */
async function insideOf(root: string, rest: string): Promise<string> {
  try {
    const realRoot = await realpath(root);
    const real = await realpath(resolve(realRoot, rest));
    const away = relative(realRoot, real);
    if (away === ".." || away.startsWith(`..${sep}`)) throw notFound();
    return real;
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw notFound();
  }
}

async function browse(path: string, shownAs: string): Promise<HttpResponse> {
  const names = await readdir(path).catch(() => {
    throw notFound();
  });
  const entries = await Promise.all(
    names.sort().map((name) => entryOf(join(path, name), `${shownAs.replace(/\/+$/, "")}/${name}`)),
  );
  return jsonResponse(
    200,
    entries.filter((entry) => entry !== undefined),
  );
}

async function entryOf(path: string, shownAs: string): Promise<object | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return {
    path: shownAs,
    nlink: found.nlink,
    size: found.size,
    mtime: Math.floor(found.mtimeMs / 1000),
    mode: modeText(found.mode),
    uid: userName(found.uid),
    gid: groupName(found.gid),
  };
}

/** `drwxr-xr-x`. */
function modeText(mode: number): string {
  const kind = (mode & 0o170000) === 0o040000 ? "d" : (mode & 0o170000) === 0o120000 ? "l" : "-";
  const bits = [..."rwxrwxrwx"].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : "-"));
  return kind + bits.join("");
}

/** Offset -1 asks for the size alone. */
async function read(path: string, request: HttpRequest): Promise<HttpResponse> {
  const offset = request.query.integer("offset", -1);
  const wanted = request.query.integer("length", maxReadBytes);
  const file = await open(path, "r").catch(() => {
    throw notFound();
  });
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw new HttpError({ status: 400, message: "Cannot read a directory." });
    if (offset < 0) return jsonResponse(200, { offset: found.size, data: "" });
    const length = Math.min(
      wanted < 0 ? maxReadBytes : wanted,
      maxReadBytes,
      Math.max(0, found.size - offset),
    );
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, offset);
    return jsonResponse(200, { offset, data: buffer.toString("utf8", 0, bytesRead) });
  } finally {
    await file.close();
  }
}

async function download(path: string): Promise<HttpResponse> {
  const found = await stat(path);
  if (found.isDirectory()) throw new HttpError({ status: 400, message: "Cannot download a directory." });
  const name = basename(path).replaceAll(/["\\\r\n]/g, "_");
  const headers = {
    "Content-Type": "application/octet-stream",
    "Content-Length": String(found.size),
    "Content-Disposition": `attachment; filename="${name}"`,
  };
  return streamResponse(200, headers, async (sink) => {
    // Only what was there when the length was said: a log may grow meanwhile.
    if (found.size === 0) sink.end();
    else await sink.pipe(createReadStream(path, { end: found.size - 1 }));
  });
}
