/**
 * The sh behind each step. A file is written whole or not at all: a temporary file beside the target gets content,
 * owner and mode, is synced and validated, and only then takes the target's name.
 */
import { ProvisionError } from "../../base/errors.ts";
import { shellQuote, shellWords } from "../../base/shell-quote.ts";
import { type HostScript, newNonce } from "./compile-questions.ts";
import { isOwnProgram } from "./compile-runs.ts";
import { decodeHostText } from "./host-text.ts";
import { limits } from "./limits.ts";
import type { Env, Step, StepResult } from "./step.ts";

type RunStep = Extract<Step, { do: "run" }>;
type WriteStep = Extract<Step, { do: "write" }>;

export interface CompiledStep extends HostScript {
  readonly okCodes: readonly number[];
  /** Programs that are not ours may leave children behind, which hold the output: frame kind "step", else "ask". */
  readonly runsForeignCode: boolean;
  /** Too large for stdin: sent while the script reads, which counts what arrives. */
  readonly stream?: { readonly from: string | Uint8Array; readonly sizeBytes: number };
}

/** `run` and `write`; the engine does `fetch` and `reconnect` through the session. */
export function compileStep(step: RunStep | WriteStep, nonce = newNonce()): CompiledStep {
  return step.do === "run" ? compileRun(step, nonce) : compileWrite(step, nonce);
}

function compileRun(step: RunStep, nonce: string): CompiledStep {
  const lines: string[] = [];
  if (step.umask !== undefined) lines.push(`umask ${shellQuote(step.umask)} || exit`);
  if (step.cwd !== undefined) lines.push(`cd -- ${shellQuote(directoryWord(step.cwd))} || exit`);
  const command = `${oddEnvironment(step.env ?? {})}${shellWords(step.argv)}`;
  lines.push(...exports(step.env ?? {}), ...(step.clock ? clocked(command, nonce) : [`exec ${command}`]));
  return {
    script: lines.join("\n"),
    okCodes: step.okCodes ?? [0],
    runsForeignCode: !isOwnProgram(step),
    ...(step.stdin === undefined ? {} : { stdin: step.stdin }),
  };
}

/** No name is set, which the command might have in its environment. */
const clocked = (command: string, nonce: string): string[] => [
  `printf '%s began %s\\n' ${nonce} "$(date '+%Y-%m-%d %H:%M:%S.%N')"`,
  command,
  `set -- $?; printf '%s ended %s\\n' ${nonce} "$(date '+%Y-%m-%d %H:%M:%S.%N')"; exit "$1"`,
];

/** `cd -` means another directory than the one named "-". */
const directoryWord = (path: string): string => (path.startsWith("-") ? `./${path}` : path);

const isAssignable = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

/** Exported by the shell itself, so that no value stands in an argv. */
const exports = (env: Env): string[] =>
  Object.entries(env)
    .filter(([name]) => isAssignable(name))
    .map(([name, value]) => `export ${name}=${shellQuote(value)}`);

/** A name that sh cannot assign goes through env(1). */
function oddEnvironment(env: Env): string {
  const others = Object.entries(env).filter(([name]) => !isAssignable(name));
  return others.length === 0 ? "" : `env ${shellWords(others.map(([name, value]) => `${name}=${value}`))} `;
}

function compileWrite(step: WriteStep, nonce: string): CompiledStep {
  const { from } = step;
  const sizeBytes = sizeOf(step);
  const isStreamed = !("bytes" in from) || sizeBytes > limits.inlineBytes;
  const lines = [
    `p=${shellQuote(directoryWord(step.path))}`,
    writeFunctions,
    ...(step.follow === false ? [] : ["follow"]),
    `begin ${nonce}`,
    "fill",
    ...(isStreamed ? [`whole ${sizeBytes}`] : []),
    ...ownership(step),
    ...(step.validate === undefined ? [] : [validation(step.validate)]),
    ...(step.backup ? [`backup ${nonce}`] : []),
    "finish",
  ];
  const runsForeignCode = step.validate !== undefined;
  return {
    script: lines.join("\n"),
    okCodes: [0],
    runsForeignCode,
    ...(isStreamed
      ? { stream: { from: "bytes" in from ? from.bytes : from.file, sizeBytes } }
      : { stdin: from.bytes }),
  };
}

const sizeOf = ({ from }: WriteStep): number => ("bytes" in from ? from.bytes.length : from.sizeBytes);

/**
 * Where a folder's access list opens new files to others, a umask does not count: so a mode is set before any content
 * comes. dd fsyncs what it wrote, and its summary is shown only when it failed. What failed is cleared up before it is told:
 * perhaps nobody is there to be told, which ends the script. A rename onto a mount point (a container's
 * /etc/hosts) says "busy": there the content is copied into the file instead, which is the only way.
 */
const writeFunctions = `
t=; o=; clean() { [ -z "$t" ] || rm -f -- "$t"; t=; }; fail() { clean; printf '%s\\n' "$1" >&2; exit 1; }
trap clean EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM
follow() { [ -L "$p" ] || return 0; p=$(readlink -f -- "$p" && printf x) && p=\${p%?x} || fail 'the symbolic link leads nowhere'; }
begin() { [ ! -d "$p" ] || fail "$p is a directory"
case $p in */*) d=\${p%/*}/;; *) d=./;; esac; [ -d "$d" ] || fail "the directory $d does not exist"
[ -e "$p" ] && o=$(stat -Lc '%u:%g %a' -- "$p" 2>/dev/null || ls -dnL -- "$p" | awk '{print $3 ":" $4}')
t=$d.provision-$1; }
fill() { e=$( (umask 077; : >"$t" && chmod 600 "$t" && dd of="$t" bs=65536 conv=fsync) 2>&1) || fail "$(printf '%s\\n' "$e" | grep -v '^[0-9]*+[0-9]* records ')"; }
whole() { n=$(($(wc -c <"$t"))); [ $n = $1 ] || fail "only $n of $1 bytes arrived"; }
keep() { [ -z "$o" ] || [ "\${o%% *}" = "$(id -u):$(id -g)" ] || chown "\${o%% *}" "$t" 2>/dev/null || [ "$(id -u)" != 0 ] || fail 'the owner could not be kept'; }
keepmode() { case $o in *' '*) chmod "\${o#* }" "$t";; '') chmod =rw "$t";; *) chmod --reference="$p" "$t";; esac || exit; }
backup() { [ -e "$p" ] || return 0; b=$p.$$.$(date +%Y-%m-%d@%H:%M:%S)~; cp -aL -- "$p" "$b" || exit; printf '%s backup %s\\n' "$1" "$b"; }
finish() { e=$(mv -f -- "$t" "$p" 2>&1) && { t=; exit 0; }
case $e in *busy*) cat <"$t" >"$p" || exit;; *) fail "$e";; esac; }
`.trim();

/** chown before chmod: it clears setuid and setgid. */
function ownership({ owner, group, mode }: WriteStep): string[] {
  const who = `${owner ?? ""}${group === undefined ? "" : `:${group}`}`;
  return [
    "keep",
    ...(who === "" ? [] : [`chown -- ${shellQuote(who)} "$t" || exit`]),
    mode === undefined ? "keepmode" : `chmod ${shellQuote(mode)} "$t" || exit`,
  ];
}

function validation(command: string): string {
  if (!command.includes("%s")) {
    throw new ProvisionError({
      code: "bad-argument",
      action: "validate a file",
      state: `"${command}" does not say where the file goes`,
      why: "%s stands for the file to validate",
      fix: `write "${command} %s"`,
    });
  }
  return `v=$t; (${command.replaceAll("%s", '"$v"')}\n) </dev/null || fail "validate failed with exit code $?"`;
}

export interface ScriptOutcome {
  readonly timedOut: boolean;
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly elapsedMs: number;
}

export function readStepResult(step: RunStep | WriteStep, outcome: ScriptOutcome): StepResult {
  const okCodes = step.do === "run" ? (step.okCodes ?? [0]) : [0];
  const backupPath = step.do === "write" && step.backup ? backupOf(outcome.stdout) : undefined;
  const { stdout, clock } =
    step.do === "run" && step.clock ? withoutTimes(outcome.stdout) : { stdout: outcome.stdout };
  return {
    ok: !outcome.timedOut && okCodes.includes(outcome.code),
    code: outcome.code,
    stdout,
    stderr: outcome.stderr,
    elapsedMs: outcome.elapsedMs,
    ...(clock === undefined ? {} : { clock }),
    ...(backupPath === undefined ? {} : { backupPath }),
  };
}

/** The first line, and one near the end: what was started and left behind may write after it. */
function withoutTimes(stdout: Uint8Array): Pick<StepResult, "stdout" | "clock"> {
  const bytes = Buffer.from(stdout);
  const began = /^([0-9a-f]{32}) began (.*)\n/.exec(bytes.subarray(0, lineBytes).toString("latin1"));
  if (began === null) return { stdout };
  const [line, nonce = "", start = ""] = began;
  const at = bytes.lastIndexOf(`${nonce} ended `);
  if (at === -1) return { stdout: bytes.subarray(line.length) };
  const after = bytes.indexOf(10, at) + 1;
  const end = bytes.subarray(at + nonce.length + " ended ".length, after - 1).toString("latin1");
  return {
    stdout: Buffer.concat([bytes.subarray(line.length, at), bytes.subarray(after)]),
    clock: { start, end },
  };
}
const lineBytes = 200;

const backupOf = (stdout: Uint8Array): string | undefined =>
  /(?:^|\n)[0-9a-f]{32} backup (.*?~)\n/s.exec(decodeHostText(stdout))?.[1];
