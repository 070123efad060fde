/** Vault passwords: `label@source`, where the source is a file, a program that prints it, or `prompt`. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ProvisionError } from "../../../base/errors.ts";
import { fileFix } from "../../../base/file-fix.ts";
import { statPath } from "../../../base/stat-path.ts";
import { defaultVaultId, isVaultText } from "./envelope.ts";
import type { VaultSecret } from "./vault.ts";

/** Seconds a password program may take: it may ask a person or a service. */
const programTimeoutMs = 120_000;

export interface VaultSource {
  readonly id: string;
  /** A path, "prompt", or "prompt_ask_vault_pass". */
  readonly source: string;
}

/** `dev@~/.vault-dev`, `prod@prompt`, or a source alone. */
export function parseVaultId(text: string): VaultSource {
  const at = text.indexOf("@");
  if (at < 0) return { id: defaultVaultId, source: text };
  const source = text.slice(at + 1);
  if (source === "")
    throw usage(`--vault-id "${text}" names no source`, "write label@file, label@program or label@prompt");
  return { id: text.slice(0, at) || defaultVaultId, source };
}
export const isPrompt = ({ source }: VaultSource): boolean => source.startsWith("prompt");

export interface SecretOptions {
  readonly cwd: string;
  readonly home: string | undefined;
  /** Asks on the terminal, unechoed. */
  ask(question: string): Promise<string>;
  /** Ask a second time: a new password that is mistyped locks its file for good. */
  readonly confirm?: boolean;
}

/** Prompts are asked at once; files are read and programs run when the password is needed. */
export async function readSecret(source: VaultSource, options: SecretOptions): Promise<VaultSecret> {
  const { id } = source;
  if (isPrompt(source)) {
    const typed = Buffer.from(await askTwice(id, options), "utf8");
    return { id, password: () => typed };
  }
  const path = resolve(options.cwd, source.source.replace(/^~(?=\/)/, options.home ?? "~"));
  if (statPath(path) === undefined) throw noPasswordFile(path, source.source, "the vault password");
  let kept: Uint8Array | undefined;
  return {
    id,
    password: () => {
      kept ??= readPasswordFile(path, "the vault password", id);
      return kept;
    },
  };
}

async function askTwice(id: string, { ask, confirm }: SecretOptions): Promise<string> {
  const name = id === defaultVaultId ? "Vault password" : `Vault password (${id})`;
  const typed = await ask(`${name}: `);
  if (typed === "") throw failed("the password is empty");
  if (confirm === true && (await ask(`Confirm ${name.toLowerCase()}: `)) !== typed)
    throw failed("the two passwords differ");
  return typed;
}

/** A file that holds a password, or a program that prints one; `id` is told to programs that ask for it. */
export function readPasswordFile(path: string, what: string, id?: string): Buffer {
  const fail = (state: string, fix?: string, cause?: unknown): ProvisionError =>
    new ProvisionError({ code: "vault-locked", action: `read ${what}`, state, fix, cause });
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw noPasswordFile(path, path, what);
  if (!stats.isFile()) throw fail(`"${path}" is no file`);
  const bytes = isExecutable(path) ? runProgram(path, id, fail) : readBytes(path, fail);
  if (isVaultText(bytes.toString("latin1")))
    throw fail(`the file "${path}" is itself encrypted`, "name a file that holds the password in the clear");
  const password = Buffer.from(bytes.toString("utf8").trim(), "utf8");
  if (password.length === 0)
    throw fail(`"${path}" gives an empty password`, `write the password into ${path}`);
  return password;
}

const noPasswordFile = (path: string, given: string, what: string): ProvisionError =>
  new ProvisionError({
    code: "vault-locked",
    action: `read ${what}`,
    state: `the file "${path}" does not exist`,
    why: "the option names a file that holds it, or a program that prints it",
    fix: fileFix(given, [path]),
  });

type Fail = (state: string, fix?: string, cause?: unknown) => ProvisionError;

function readBytes(path: string, fail: Fail): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw fail(`the file "${path}" cannot be read`, `chmod u+r ${path}`, cause);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return (statSync(path).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Programs whose name ends in -client are told which id is wanted. */
function runProgram(path: string, id: string | undefined, fail: Fail): Buffer {
  const isClient = id !== undefined && /-client(?:\.\w+)?$/.test(basename(path));
  try {
    return execFileSync(path, isClient ? ["--vault-id", id] : [], {
      timeout: programTimeoutMs,
      stdio: ["inherit", "pipe", "pipe"],
    });
  } catch (error) {
    const { status, stderr, code } = error as { status?: number | null; stderr?: Buffer; code?: string };
    const said = stderr?.toString("utf8").trim().split("\n").at(-1) ?? "";
    // A file of a Windows disk is executable, and no program.
    if (code === "ENOEXEC" || code === "EACCES")
      throw fail(`"${path}" is executable, and no program`, `chmod -x ${path}`, error);
    throw fail(
      `the program "${path}" ended with ${status ?? code ?? "a signal"}${said === "" ? "" : `: ${said}`}`,
      status === 126 || status === 127 ? `chmod -x ${path}, if it holds the password itself` : undefined,
    );
  }
}

const failed = (state: string): ProvisionError =>
  new ProvisionError({ code: "vault-locked", action: "read the vault password", state });
const usage = (state: string, fix: string): ProvisionError =>
  new ProvisionError({ code: "bad-usage", action: "read the command line", state, fix });
