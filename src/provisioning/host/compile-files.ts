/**
 * Many small files of one folder in one script with a handful of programs for all of them: each still whole or not at
 * all. They are written into a folder of their own beside their places, get owner and mode, are synced together, and
 * are renamed in one go. Where a path turned out to be something else than was known of it, nothing is done.
 */
import { shellQuote, shellWords } from "../../base/shell-quote.ts";
import { newNonce } from "./compile-questions.ts";
import { decodeHostText } from "./host-text.ts";
import { printfFormat } from "./printf-format.ts";
import type { PathStat } from "./question.ts";
import type { Step } from "./step.ts";

type WriteStep = Extract<Step, { do: "write" }>;

export interface NewContent {
  readonly step: WriteStep;
  readonly bytes: Uint8Array;
  /** What stands there. */
  readonly before: PathStat | "nothing";
}

/** What many such files must have in common. Undefined: it needs a script of its own. */
export function fileKind(step: Step, before: PathStat | "nothing"): string | undefined {
  if (step.do !== "write" || !("bytes" in step.from)) return undefined;
  if (step.validate !== undefined || !step.path.startsWith("/") || step.path.endsWith("/")) return undefined;
  if (before !== "nothing" && (before.type !== "file" || step.backup === true)) return undefined;
  return JSON.stringify([
    folderOf(step.path),
    before === "nothing",
    ownerOf(step, before),
    modeOf(step, before),
  ]);
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** In chown's words; a file that was there keeps what the step does not name. */
function ownerOf({ owner, group }: WriteStep, before: NewContent["before"]): string {
  if (before !== "nothing") return `${owner ?? before.uid}:${group ?? before.gid}`;
  return `${owner ?? ""}${group === undefined ? "" : `:${group}`}`;
}

const modeOf = ({ mode }: WriteStep, before: NewContent["before"]): string | undefined =>
  mode ?? (before === "nothing" ? undefined : before.mode.toString(8).padStart(4, "0"));

/** All of one kind. The indexes of those that were renamed are printed when not all of them were. */
export function compileFiles(files: readonly NewContent[], nonce = newNonce()): string {
  const [first] = files;
  if (first === undefined) return ":";
  const { step, before } = first;
  const names = files.map((file) => `./${nameOf(file.step.path)}`);
  const words = shellWords(names);
  const who = ownerOf(step, before);
  const mode = modeOf(step, before);
  const isOther = before === "nothing" ? '[ -e "$f" ] || [ -L "$f" ]' : '[ ! -f "$f" ] || [ -L "$f" ]';
  return [
    `d=${shellQuote(folderOf(step.path))} w=.provision-${nonce}`,
    `cd -- "$d" || exit`,
    `for f in ${words}; do if ${isOther}; then printf '%s is not as it was found\\n' "$f" >&2; exit 1; fi; done`,
    `m=$(umask); umask 077; mkdir -m 700 "$w" || exit; trap 'cd "$d" && rm -rf "$w"' EXIT`,
    "trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM; cd \"$w\" || exit",
    ...files.map(
      ({ bytes }, at) =>
        `printf ${decodeHostText(printfFormat(bytes))} >${shellQuote(names[at] ?? "")} || exit`,
    ),
    `umask "$m"`,
    ...(who === "" ? [] : [`chown -- ${shellQuote(who)} ${words} || exit`]),
    `chmod ${mode === undefined ? "=rw" : shellQuote(mode)} ${words} || exit`,
    'sync -f . 2>/dev/null || sync; cd "$d" || exit',
    `mv -f ${shellWords(names.map((name) => `.provision-${nonce}/${name.slice(2)}`))} . && exit 0`,
    `i=0; for f in ${words}; do [ -e "$w/$f" ] || printf 'done %s\\n' $i; i=$((i+1)); done; exit 1`,
  ].join("\n");
}

/** Which of `count` things are done, by a script that prints "done INDEX" for each when not all of them are. */
export function readDone(
  count: number,
  outcome: { readonly code: number; readonly stdout: Uint8Array },
): ReadonlySet<number> {
  if (outcome.code === 0) return new Set(Array.from({ length: count }, (_, at) => at));
  const printed = decodeHostText(outcome.stdout).matchAll(/^done (\d+)$/gm);
  return new Set([...printed].map(([, index]) => Number(index)));
}
