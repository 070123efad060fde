/** The sh of the frame protocol (engine.md, "Frames"): what a shell is told once, and how a frame is written. */

import { shellQuote } from "../../base/shell-quote.ts";
import { encodeHostText } from "../host/host-text.ts";
import { printfFormat } from "../host/printf-format.ts";
import type { Frame, ShellProcess, StreamedInput } from "./session.ts";

/**
 * Marks are lines `<newline><nonce> word …`. _a asks: a subshell, then the mark on both streams. _s does a step: its
 * stdout and stderr each run through a cat of their own; the end mark goes the same way, so it comes after the output,
 * and "clean" after the last writer. 5 and 6 are the shell's own streams, 3 carries the exit code to the shell itself.
 *
 * _y gives a script its stdin: what stands in _i, or the pieces that follow the message's text on the shell's own stdin,
 * each after a line `<nonce> <bytes>`, the last one of 0 bytes. A shell reads ahead of the line that it runs, so blanks
 * stand between that line and the first piece; what it did not take of them is passed over. A piece is read by one dd in
 * one block: whoever reads from it, and however that ends, exactly the piece is gone. If anything else stands where a
 * piece should begin, the shell is killed before it could take a byte of a file for a command. "enough" (8 is where a
 * frame's stdout goes) says that nobody reads any more.
 */
const functions = `
_e() { printf '\\n%s end %s %s\\n' "$_n" "$1" "$2"; }
_c() { case " $3 " in *" $2 "*) ;; *) _ok=0;; esac; }
_k() { printf '\\n%s skip %s 0\\n' "$_n" "$1"; printf '\\n%s skip %s 0\\n' "$_n" "$1" >&2; }
_q() { _t=$2; set --; eval "$_t"; }
_l() { printf '\\n%s clean %s 0\\n' "$_n" "$1"; }
_a() { ( _q "$@" ) </dev/null 5>&- 6>&-; _r=$?; _e $1 $_r; _e $1 $_r >&2; _c $1 $_r "$3"; }
_y() { [ -n "$_z" ] || { printf "$_i" 2>/dev/null 8>&-; return; }
while IFS= read -r _h; do case $_h in "$_n "*) ;; *[!" "]*) kill -KILL $$; exit 1;; *) continue;; esac
_h=\${_h#* }; [ "$_h" != 0 ] || return 0
dd bs=$_h count=1 iflag=fullblock 2>/dev/null 8>&- || [ -z "$_z" ] || { printf '\\n%s enough %s 0\\n' "$_n" "$_z" >&8; _z=; }; done; }
_A() { { _y 5>&- 6>&- | ( _i= _z=; _q "$@" ) 5>&- 6>&- 8>&-; _r=$?; } 8>&1; _e $1 $_r; _e $1 $_r >&2; _c $1 $_r "$3"; _i= _z=; }
_s() { _r=$( { { { ( _q "$@" ) </dev/null 2>&7 3>&- 5>&- 6>&- 7>&-; _x=$?; _e $1 $_x; _e $1 $_x >&7; printf %s $_x >&3; } |
{ cat; _l $1; } >&5 3>&- 7>&-; } 7>&1 | { cat; _l $1; } >&6 3>&-; } 3>&1 ); _c $1 $_r "$3"; }
_S() { _r=$( { { { { _y 3>&- 5>&- 6>&- 7>&- | ( _i= _z=; _q "$@" ) 2>&7 3>&- 5>&- 6>&- 7>&- 8>&-; _x=$?; } 8>&1; _e $1 $_x; _e $1 $_x >&7; printf %s $_x >&3; } |
{ cat; _l $1; } >&5 3>&- 7>&-; } 7>&1 | { cat; _l $1; } >&6 3>&-; } 3>&1 ); _c $1 $_r "$3"; _i= _z=; }
`.trim();

/**
 * Sent once, ahead of the first message. `kill` are shells of before that must do nothing more. The sbin folders are
 * appended to PATH, where a login user's often lacks them.
 */
export function preamble(nonce: string, kill: readonly string[] = []): string {
  return `${kill.map(killing).join("")}exec 5>&1 6>&2; _n=${nonce} _i= _z= _ok=1
${functions}
case :$PATH: in *:/usr/sbin:*) ;; *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin;; esac
_g=$$ _b=; [ -r /proc/$$/stat ] && read -r _a1 _a2 _a3 _a4 _g _a5 </proc/$$/stat && set -- "$1" $_a5 && _b=\${18}
case $(command -v printf) in printf) _p=builtin;; *) _p=program;; esac
printf '\\n%s hello %s %s %s %s %s\\n' $_n $$ $_g $_p "$1" $_b; printf '\\n%s hello %s %s %s %s %s\\n' $_n $$ $_g $_p "$1" $_b >&2
`;
}

/** Ends a shell, if it is still that one: not the program that it runs, which is let finish. */
export const endOfShell = ({ pid, startedAt }: ShellProcess): string =>
  `read -r _t </proc/${pid}/stat && set -- \${_t##*) } && [ "\${20}" = ${startedAt} ] && kill -KILL ${pid}\nexit 0`;

/** A group may clear up before it goes. */
const killing = (target: string): string =>
  `${target.startsWith("-") ? `kill -TERM ${target} 2>/dev/null; sleep 0.1 2>/dev/null\n` : ""}kill -KILL ${target} 2>/dev/null\n`;

/** What leaves for a shell, one after the other: text, or the pieces of a file for the frame of that id. */
export type Part = Uint8Array | { readonly id: number; readonly stream: StreamedInput };

/** All frames of a message. `succeeded`: no earlier frame of the message failed in a shell before. */
export function encodeMessage(frames: readonly Frame[], firstId: number, succeeded: boolean): Part[] {
  const parts: Part[] = [Buffer.from(`_ok=${succeeded ? 1 : 0}\n`)];
  for (const [i, frame] of frames.entries()) {
    const id = firstId + i;
    parts.push(encodeFrame(frame, id));
    if (frame.stream !== undefined) parts.push(blanks, { id, stream: frame.stream });
  }
  return parts;
}

/** As much as a shell takes in one read. One that takes more is killed by _y. */
const blanks = Buffer.from(`${" ".repeat(8191)}\n`);

/** A piece of a stream, and what ends it. */
export const pieceOf = (nonce: string, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${nonce} ${bytes.length}\n`), bytes]);

function encodeFrame(frame: Frame, id: number): Buffer {
  const { kind, script, stdin, stream, okCodes = [0], onlyAfterSuccess } = frame;
  const given = stream !== undefined || (stdin !== undefined && stdin.length > 0);
  const verb = kind === "ask" ? (given ? "_A" : "_a") : given ? "_S" : "_s";
  const call = encodeHostText(`${verb} ${id} ${quoteText(script)} '${okCodes.join(" ")}'`);
  const input =
    stream !== undefined
      ? [Buffer.from(`_z=${id}\n`)]
      : given && stdin !== undefined
        ? [Buffer.from("_i="), printfFormat(stdin), Buffer.from("\n")]
        : [];
  if (!onlyAfterSuccess) return Buffer.concat([...input, call, Buffer.from("\n")]);
  const open = Buffer.from("if [ $_ok = 1 ]; then\n");
  const skip = stream === undefined ? `_k ${id}` : `_k ${id}; _z=${id}; _y >/dev/null 8>&1; _z=`;
  return Buffer.concat([open, ...input, call, Buffer.from(`\nelse ${skip}; fi\n`)]);
}

/** A NUL would end the word; sh has no way to write one. */
const quoteText = (script: string): string => shellQuote(script.replaceAll("\0", ""));
