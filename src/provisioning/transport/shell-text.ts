/** The sh of the frame protocol (engine.md, "Frames"): what a shell is told once, and how a frame is written. */

import { shellQuote } from "../../base/shell-quote.ts";
import { encodeHostText } from "../host/host-text.ts";
import { printfFormat } from "../host/printf-format.ts";
import type { Frame } from "./session.ts";

/**
 * Marks are lines `<newline><nonce> word …`. _a asks: a subshell, then the mark on both streams. _s does a step: its
 * stdout and stderr each run through a cat of their own; the end mark goes the same way, so it comes after the output,
 * and "clean" after the last writer. 5 and 6 are the shell's own streams, 3 carries the exit code to the shell itself.
 */
const functions = `
_e() { printf '\\n%s end %s %s\\n' "$_n" "$1" "$2"; }
_c() { case " $3 " in *" $2 "*) ;; *) _ok=0;; esac; }
_k() { printf '\\n%s skip %s 0\\n' "$_n" "$1"; printf '\\n%s skip %s 0\\n' "$_n" "$1" >&2; }
_q() { _t=$2; set --; eval "$_t"; }
_l() { printf '\\n%s clean %s 0\\n' "$_n" "$1"; }
_a() { ( _q "$@" ) </dev/null 5>&- 6>&-; _r=$?; _e $1 $_r; _e $1 $_r >&2; _c $1 $_r "$3"; }
_A() { printf "$_i" 2>/dev/null 5>&- 6>&- | ( _i=; _q "$@" ) 5>&- 6>&-; _r=$?; _e $1 $_r; _e $1 $_r >&2; _c $1 $_r "$3"; _i=; }
_s() { _r=$( { { { ( _q "$@" ) </dev/null 2>&7 3>&- 5>&- 6>&- 7>&-; _x=$?; _e $1 $_x; _e $1 $_x >&7; printf %s $_x >&3; } |
{ cat; _l $1; } >&5 3>&- 7>&-; } 7>&1 | { cat; _l $1; } >&6 3>&-; } 3>&1 ); _c $1 $_r "$3"; }
_S() { _r=$( { { { printf "$_i" 2>/dev/null 3>&- 5>&- 6>&- 7>&- | ( _i=; _q "$@" ) 2>&7 3>&- 5>&- 6>&- 7>&-; _x=$?; _e $1 $_x; _e $1 $_x >&7; printf %s $_x >&3; } |
{ cat; _l $1; } >&5 3>&- 7>&-; } 7>&1 | { cat; _l $1; } >&6 3>&-; } 3>&1 ); _c $1 $_r "$3"; _i=; }
`.trim();

/**
 * Sent once, ahead of the first message. `kill` are shells of before that must do nothing more. The sbin folders are
 * appended to PATH, where a login user's often lacks them.
 */
export function preamble(nonce: string, kill: readonly string[] = []): string {
  return `${kill.map((target) => `kill -KILL ${target} 2>/dev/null\n`).join("")}exec 5>&1 6>&2; _n=${nonce} _i= _ok=1
${functions}
case :$PATH: in *:/usr/sbin:*) ;; *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin;; esac
_g=$$; [ -r /proc/$$/stat ] && read -r _a1 _a2 _a3 _a4 _g _a5 </proc/$$/stat
case $(command -v printf) in printf) _p=builtin;; *) _p=program;; esac
printf '\\n%s hello %s %s %s %s\\n' $_n $$ $_g $_p "$1"; printf '\\n%s hello %s %s %s %s\\n' $_n $$ $_g $_p "$1" >&2
`;
}

/** All frames of a message, as one text. `succeeded`: no earlier frame of the message failed in a shell before. */
export function encodeMessage(frames: readonly Frame[], firstId: number, succeeded: boolean): Buffer {
  const parts: Buffer[] = [Buffer.from(`_ok=${succeeded ? 1 : 0}\n`)];
  for (const [i, frame] of frames.entries()) parts.push(encodeFrame(frame, firstId + i));
  return Buffer.concat(parts);
}

function encodeFrame(frame: Frame, id: number): Buffer {
  const { kind, script, stdin, okCodes = [0], onlyAfterSuccess } = frame;
  const given = stdin !== undefined && stdin.length > 0;
  const verb = kind === "ask" ? (given ? "_A" : "_a") : given ? "_S" : "_s";
  const call = encodeHostText(`${verb} ${id} ${quoteText(script)} '${okCodes.join(" ")}'`);
  const lines = given ? [Buffer.from("_i="), printfFormat(stdin), Buffer.from("\n"), call] : [call];
  if (!onlyAfterSuccess) return Buffer.concat([...lines, Buffer.from("\n")]);
  const open = Buffer.from("if [ $_ok = 1 ]; then\n");
  return Buffer.concat([open, ...lines, Buffer.from(`\nelse _k ${id}; fi\n`)]);
}

/** A NUL would end the word; sh has no way to write one. */
const quoteText = (script: string): string => shellQuote(script.replaceAll("\0", ""));
