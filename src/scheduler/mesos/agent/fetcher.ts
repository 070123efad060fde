/** Brings a task's URIs into its sandbox, one after another, and unpacks archives with the host's own tools. */
import { createWriteStream } from "node:fs";
import { chmod, copyFile, lchown, mkdir, readdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { openCall } from "../../http/http-client.ts";
import type { CommandUri } from "../protocol/task.ts";
import { lastLine, runTool } from "./run-tool.ts";

export class FetchFailed extends Error {
  override readonly name = "FetchFailed";
}

export interface FetchOptions {
  readonly uris: readonly CommandUri[];
  readonly directory: string;
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  /** Put before relative paths; undefined refuses them. */
  readonly frameworksHome?: string | undefined;
  readonly signal: AbortSignal;
  readonly stallTimeoutMs: number;
}

const maxRedirects = 10;
const unpackTimeoutMs = 600_000;

/** Throws FetchFailed naming the URI that could not be had. */
export async function fetchAll(options: FetchOptions): Promise<void> {
  for (const uri of options.uris) {
    try {
      await fetchOne(uri, options);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FetchFailed(
        `Failed to fetch all URIs for container: '${withoutPassword(uri.value)}': ${why}`,
        { cause },
      );
    }
  }
  if (options.account !== undefined && options.uris.length > 0) await own(options.directory, options.account);
}

const withoutPassword = (uri: string): string => uri.replace(/(:\/\/)[^/@\s]+@/, "$1");

async function fetchOne(uri: CommandUri, options: FetchOptions): Promise<void> {
  const name = outputName(uri);
  const path = join(options.directory, name);
  await mkdir(dirname(path), { recursive: true });
  if (/^https?:\/\//i.test(uri.value)) await download(uri.value, path, options);
  else await copyFile(localPath(uri.value, options.frameworksHome), path);
  if (uri.executable === true) await chmod(path, 0o755);
  else if (uri.extract !== false) await unpack(path, options);
}

function outputName({ value, output_file }: CommandUri): string {
  const wanted = output_file ?? lastSegment(value);
  const name = normalize(wanted);
  if (name === "." || name === "" || isAbsolute(name) || name.split(sep).includes(".."))
    throw new Error(`"${wanted}" is no file name inside the sandbox`);
  return name;
}

const lastSegment = (value: string): string => {
  if (!/^\w+:\/\//.test(value)) return basename(value);
  const { pathname, hostname } = new URL(value);
  const last = basename(decodeURIComponent(pathname));
  return last === "" ? hostname : last;
};

function localPath(value: string, home: string | undefined): string {
  if (value.startsWith("file://")) return fileURLToPath(value);
  if (/^\w+:\/\//.test(value)) throw new Error("only http, https and file are fetched");
  if (isAbsolute(value)) return value;
  if (home === undefined) throw new Error("a relative path needs --frameworks_home");
  return join(home, value);
}

async function download(url: string, path: string, options: FetchOptions, redirects = 0): Promise<void> {
  const response = await openCall(
    {
      url,
      signal: options.signal,
      answerTimeoutMs: options.stallTimeoutMs,
      silenceTimeoutMs: options.stallTimeoutMs,
    },
    true,
  );
  const status = response.statusCode ?? 0;
  const location = response.headers.location;
  if (status >= 300 && status < 400 && location !== undefined) {
    response.destroy();
    if (redirects >= maxRedirects) throw new Error("redirected too often");
    await download(new URL(location, url).href, path, options, redirects + 1);
    return;
  }
  if (status !== 200) {
    response.destroy();
    throw new Error(`the server answered ${status}`);
  }
  const expected = Number(response.headers["content-length"] ?? -1);
  const file = createWriteStream(path);
  await pipeline(response, file, { signal: options.signal });
  if (expected >= 0 && file.bytesWritten !== expected)
    throw new Error(`${file.bytesWritten} of ${expected} bytes arrived`);
}

/** In order: the first suffix that fits. Archives stay beside what came out of them. */
const unpackers: readonly { readonly suffix: RegExp; readonly argv: (path: string) => readonly string[] }[] =
  [
    { suffix: /\.(tar\.gz|tgz)$/, argv: (path) => ["tar", "-xzf", path] },
    { suffix: /\.(tar\.bz2|tbz2)$/, argv: (path) => ["tar", "-xjf", path] },
    { suffix: /\.(tar\.xz|txz)$/, argv: (path) => ["tar", "-xJf", path] },
    { suffix: /\.tar$/, argv: (path) => ["tar", "-xf", path] },
    { suffix: /\.zip$/, argv: (path) => ["unzip", "-o", "-q", path] },
    { suffix: /\.gz$/, argv: (path) => ["gzip", "-dkf", path] },
  ];

async function unpack(path: string, options: FetchOptions): Promise<void> {
  const [command, ...args] = unpackers.find(({ suffix }) => suffix.test(path))?.argv(path) ?? [];
  if (command === undefined) return;
  const { exitCode, stderr } = await runTool(command, args, {
    cwd: options.directory,
    signal: options.signal,
    timeoutMs: unpackTimeoutMs,
  });
  if (exitCode !== 0) throw new Error(`${command} could not unpack it: ${lastLine(stderr)}`);
}

/** Everything in the sandbox belongs to the task's user; links are not followed. */
async function own(
  directory: string,
  account: { readonly uid: number; readonly gid: number },
): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true }))
    await lchown(join(directory, entry), account.uid, account.gid);
}
