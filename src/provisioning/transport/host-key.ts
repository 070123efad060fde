/** Decides whether a host's key is accepted, asking and remembering as the plan says. */
import { appendFile, mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import {
  fingerprint,
  isListed,
  judgeHostKey,
  type KnownHostLine,
  keyTypeOf,
  listedName,
  parseKnownHosts,
} from "./known-hosts.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** One question on the terminal, and one line in the file, at a time. */
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => undefined);
  return result;
}

interface ReadFile {
  readonly file: string;
  readonly lines: readonly KnownHostLine[];
}

async function readKnownHosts(files: readonly string[]): Promise<ReadFile[]> {
  return Promise.all(files.map(async (file) => ({ file, lines: await linesOf(file) })));
}

interface KeptLines {
  readonly text: string;
  readonly lines: readonly KnownHostLine[];
}
/** Read for every host, but taken apart only when it has changed. */
const kept = new Map<string, KeptLines>();

async function linesOf(file: string): Promise<readonly KnownHostLine[]> {
  const text = await readFile(file, "utf8").catch(absent);
  const known = kept.get(file);
  if (known?.text === text) return known.lines;
  const lines = parseKnownHosts(text);
  kept.set(file, { text, lines });
  return lines;
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
  throw new ProvisionError({
    code: "host-key-unknown",
    action: "read the known host keys",
    state: `${error.message}`,
    cause: error,
  });
}

const nameOf = ({ hostKeyAlias, host, port }: SshSettings): string =>
  hostKeyAlias === undefined ? listedName(host, port) : listedName(hostKeyAlias, 22);

/** Key types that the host is known by: to be offered first, so that it shows a key that can be checked. */
export async function knownKeyTypes(settings: SshSettings): Promise<string[]> {
  const name = nameOf(settings);
  const files = await readKnownHosts(settings.knownHostsFiles);
  const lines = files.flatMap(({ lines }) => lines);
  return lines.filter((line) => line.marker === "" && isListed(line, name)).map(({ keyType }) => keyType);
}

/** "unsafe": not the key that is known, but keys are not to be checked. No password may go there, as with OpenSSH. */
export type Trust = "trusted" | "unsafe";

/** Resolves when the key is accepted; rejects with the reason otherwise. */
export async function acceptHostKey(settings: SshSettings, key: Buffer): Promise<Trust> {
  if (settings.hostKeyChecking === "off") return trustUnchecked(settings, key);
  const known = await judge(settings, key);
  if (known) return "trusted";
  await inTurn(async () => {
    // Another connection may have learnt it meanwhile.
    if (await judge(settings, key)) return;
    if (settings.hostKeyChecking !== "accept-new") await confirm(settings, key);
    await remember(settings, key);
  });
  return "trusted";
}

async function trustUnchecked(settings: SshSettings, key: Buffer): Promise<Trust> {
  try {
    await judge(settings, key);
    return "trusted";
  } catch (error) {
    if (!(error instanceof ProvisionError) || !badKeys.has(error.code)) throw error;
    const { state, fix } = error;
    const used = "host keys are not checked, so it is used all the same, but no password is sent to it";
    settings.warn?.(`${settings.name}: ${state}; ${used}${fix === undefined ? "" : `; ${fix}`}`);
    return "unsafe";
  }
}

const badKeys: ReadonlySet<string> = new Set(["host-key-changed", "host-key-revoked"]);

async function judge(settings: SshSettings, key: Buffer): Promise<boolean> {
  const name = nameOf(settings);
  for (const { file, lines } of await readKnownHosts(settings.knownHostsFiles)) {
    const verdict = judgeHostKey(lines, name, key);
    if (verdict.is === "known") return true;
    if (verdict.is === "changed") throw changedKey({ settings, key, file, line: verdict.line });
    if (verdict.is === "revoked") throw revokedKey({ settings, key, file, line: verdict.line });
  }
  return false;
}

async function confirm(settings: SshSettings, key: Buffer): Promise<void> {
  const what = `${keyTypeOf(key)} key of "${nameOf(settings)}" is ${fingerprint(key)}`;
  const question = `The ${what}. It is not known yet. Trust it and remember it?`;
  if (await settings.confirmHostKey?.(question)) return;
  throw new ProvisionError({
    code: "host-key-unknown",
    action: `trust "${settings.name}"`,
    state: `its ${what}, which is not in "${settings.knownHostsFiles[0] ?? "known_hosts"}"`,
    why: "a host is trusted only by a key that is known, or that you accept",
    fix: `compare the fingerprint, then run again with --accept-new-host-keys`,
  });
}

/** One append of one line: another process that appends at the same time cannot mix with it. */
async function remember(settings: SshSettings, key: Buffer): Promise<void> {
  const [file] = settings.knownHostsFiles;
  if (file === undefined) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const gap = (await endsWithNewline(file)) ? "" : "\n";
  const line = `${gap}${nameOf(settings)} ${keyTypeOf(key)} ${key.toString("base64")}\n`;
  await appendFile(file, line, { mode: 0o600 });
}

async function endsWithNewline(file: string): Promise<boolean> {
  const handle = await open(file, "r").catch(() => undefined);
  if (!handle) return true;
  try {
    const { size } = await handle.stat();
    if (size === 0) return true;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 10;
  } finally {
    await handle.close();
  }
}

interface BadKey {
  readonly settings: SshSettings;
  readonly key: Buffer;
  readonly file: string;
  readonly line: KnownHostLine;
}

/** For what only a password could do on a host of whose key `acceptHostKey` says that it is unsafe. */
export const noPasswordTo = ({ name }: SshSettings): ProvisionError =>
  new ProvisionError({
    code: "host-key-changed",
    action: `send the password of become to "${name}"`,
    state: "it does not show the key that it is known by, and host keys are not checked",
    why: "whoever answers in its place would learn the password",
    fix: "see the warning above: forget the old key if you know why it has changed",
  });

const changedKey = ({ settings, key, file, line }: BadKey): ProvisionError =>
  new ProvisionError({
    code: "host-key-changed",
    action: `trust "${settings.name}"`,
    state: `its key has changed: it shows ${fingerprint(key)}, but ${file}:${line.line} knows ${fingerprint(Buffer.from(line.key, "base64"))}`,
    why: "the host was installed anew, or somebody else answers in its place",
    fix: `if you know why, type: ssh-keygen -f ${file} -R '${nameOf(settings)}'`,
  });

const revokedKey = ({ settings, key, file, line }: BadKey): ProvisionError =>
  new ProvisionError({
    code: "host-key-revoked",
    action: `trust "${settings.name}"`,
    state: `its key ${fingerprint(key)} is revoked in ${file}:${line.line}`,
  });
