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
  /** To be uploaded before the script runs, as the user who runs it: too large for the script itself. */
  readonly upload?: { readonly from: string | Uint8Array; readonly to: string };
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
  const upload = uploadOf(step, nonce);
  const lines = [
    `p=${shellQuote(directoryWord(step.path))}; u=${shellQuote(upload?.to ?? "")}`,
    writeFunctions,
    ...(step.follow === false ? [] : ["follow"]),
    `begin ${nonce}`,
    upload ? "adopt" : "fill",
    ...ownership(step),
    ...(step.validate === undefined ? [] : [validation(step.validate)]),
    ...(step.backup ? [`backup ${nonce}`] : []),
    "finish",
  ];
  const inline = "bytes" in step.from && !upload ? { stdin: step.from.bytes } : {};
  const runsForeignCode = step.validate !== undefined;
  return {
    script: lines.join("\n"),
    okCodes: [0],
    runsForeignCode,
    ...inline,
    ...(upload ? { upload } : {}),
  };
}

function uploadOf({ from, path }: WriteStep, nonce: string): CompiledStep["upload"] {
  if ("bytes" in from && from.bytes.length <= limits.inlineBytes) return undefined;
  const folder = directoryWord(path).replace(/[^/]*$/, "") || "./";
  return { from: "bytes" in from ? from.bytes : from.file, to: `${folder}.provision-upload-${nonce}` };
}

/**
 * dd fsyncs what it wrote, and its summary is shown only when it failed. A rename onto a mount point (a container's
 * /etc/hosts) says "busy": there the content is copied into the file instead, which is the only way.
 */
const writeFunctions = `
t=; o=; fail() { printf '%s\\n' "$1" >&2; exit 1; }
clean() { [ -z "$t" ] || rm -f -- "$t"; [ -z "$u" ] || rm -f -- "$u"; }
trap clean EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
follow() { [ -L "$p" ] || return 0; p=$(readlink -f -- "$p" && printf x) && p=\${p%?x} || fail 'the symbolic link leads nowhere'; }
begin() { [ ! -d "$p" ] || fail "$p is a directory"
case $p in */*) d=\${p%/*}/;; *) d=./;; esac; [ -d "$d" ] || fail "the directory $d does not exist"
[ -e "$p" ] && o=$(stat -Lc '%u:%g %a' -- "$p" 2>/dev/null || ls -dnL -- "$p" | awk '{print $3 ":" $4}')
t=$d.provision-$1; }
fill() { e=$( (umask 077; dd of="$t" bs=65536 conv=fsync) 2>&1) || fail "$(printf '%s\\n' "$e" | grep -v '^[0-9]*+[0-9]* records ')"; }
adopt() { if [ "\${u%/*}/" != "$d" ]; then fill <"$u"; return; fi
t=$u u=; dd if=/dev/null of="$t" conv=notrunc,fsync 2>/dev/null || fail 'the uploaded file could not be synced'; }
keep() { [ -z "$o" ] || [ "\${o%% *}" = "$(id -u):$(id -g)" ] || chown "\${o%% *}" "$t" 2>/dev/null || [ "$(id -u)" != 0 ] || fail 'the owner could not be kept'; }
keepmode() { case $o in *' '*) chmod "\${o#* }" "$t";; '') chmod =rw "$t";; *) chmod --reference="$p" "$t";; esac || exit; }
backup() { [ -e "$p" ] || return 0; b=$p.$$.$(date +%Y-%m-%d@%H:%M:%S)~; cp -p -- "$p" "$b" || exit; printf '%s backup %s\\n' "$1" "$b"; }
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
  const { stdout, clock } =
    step.do === "run" && step.clock ? withoutTimes(outcome.stdout) : { stdout: outcome.stdout };
  const okCodes = step.do === "run" ? (step.okCodes ?? [0]) : [0];
  const backupPath = step.do === "write" && step.backup ? backupOf(outcome.stdout) : undefined;
  return {
    ok: !outcome.timedOut && okCodes.includes(outcome.code),
    code: outcome.code,
    stdout,
    ...(clock === undefined ? {} : { clock }),
    stderr: outcome.stderr,
    elapsedMs: outcome.elapsedMs,
    ...(backupPath === undefined ? {} : { backupPath }),
  };
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

}

const backupOf = (stdout: Uint8Array): string | undefined =>
  /(?:^|\n)[0-9a-f]{32} backup (.*?~)\n/s.exec(decodeHostText(stdout))?.[1];
