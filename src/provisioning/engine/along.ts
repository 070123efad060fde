/**
 * What travels along with a loop item's steps: the steps of the items after it, when no item can see what another one
 * does (loop-batch.ts). They run in order, after the item's own; one that did not run, or failed, is simply not heard
 * of here, and is asked about and done at its turn.
 */
import { shellWords } from "../../base/shell-quote.ts";
import { compileNewFiles, newFileKind, readNewFiles } from "../host/compile-new-files.ts";
import { compileStep, readStepResult } from "../host/compile-step.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";
import type { Frame, FrameResult } from "../transport/session.ts";

type FramedStep = Extract<Step, { do: "run" | "write" }>;

export interface Along {
  readonly index: number;
  readonly args: unknown;
  readonly questions: readonly Question[];
  readonly answers: Answers;
  readonly steps: readonly FramedStep[];
  /** Its one step writes a file that is not there yet. */
  readonly isNewFile: boolean;
}

export interface DoneAlong extends Along {
  readonly results: readonly StepResult[];
}

interface Group {
  readonly kind: string | undefined;
  readonly items: Along[];
}

export interface AlongFrames {
  readonly frames: readonly Frame[];
  /** The items whose steps all ended well. */
  read(outcomes: readonly (FrameResult | undefined)[]): readonly DoneAlong[];
}

export interface AlongOptions {
  /** Folders that the items speak of: two names of one folder, and nothing is done. */
  readonly folders: readonly string[];
  readonly stepTimeoutMs: number;
  readonly withEnvironment: (script: string) => string;
}

export function alongFrames(items: readonly Along[], options: AlongOptions): AlongFrames {
  if (items.length === 0) return { frames: [], read: () => [] };
  const { stepTimeoutMs: timeoutMs, withEnvironment } = options;
  // What is right already stays so: nothing in the message touches it.
  const right = items.filter(({ steps }) => steps.length === 0).map((item) => ({ ...item, results: [] }));
  const groups = groupsOf(items.filter(({ steps }) => steps.length > 0));
  const guard: Frame = {
    kind: "ask",
    script: aliasGuard(options.folders),
    timeoutMs,
    onlyAfterSuccess: true,
  };
  const parts = groups.map((group) => {
    const frames =
      group.kind === undefined
        ? group.items.flatMap(({ steps }) => steps.map((step) => stepFrame(step, timeoutMs, withEnvironment)))
        : [newFilesFrame(group.items, timeoutMs)];
    return { group, frames };
  });
  return {
    frames: [guard, ...parts.flatMap(({ frames }) => frames)],
    read: (outcomes) => {
      let from = 1;
      const done = parts.flatMap(({ group, frames }) => {
        const own = outcomes.slice(from, from + frames.length);
        from += frames.length;
        return group.kind === undefined ? readSteps(group.items, own) : readFiles(group.items, own[0]);
      });
      const isGuarded = outcomes[0]?.skipped === false && outcomes[0].code === 0 && !outcomes[0].timedOut;
      return isGuarded ? [...right, ...done] : [];
    },
  };
}

function groupsOf(items: readonly Along[]): Group[] {
  const groups: Group[] = [];
  for (const item of items) {
    const [step] = item.steps;
    const kind = item.isNewFile && step !== undefined ? newFileKind(step) : undefined;
    const last = groups.at(-1);
    if (last !== undefined && last.kind === kind) last.items.push(item);
    else groups.push({ kind, items: [item] });
  }
  return groups;
}

/** Physical names of folders; of one that is not there yet, its nearest ancestor's and what is missing. */
const aliasGuard = (folders: readonly string[]): string => `
n() { r=; while [ ! -d "$1" ] && [ -n "$1" ]; do r=/\${1##*/}$r; set -- "\${1%/*}"; done; cd -P -- "\${1:-/}" && printf '%s\\n' "\${PWD%/}$r"; }
set -- ${shellWords(folders)}
[ $# -lt 2 ] && exit 0
s='
'; for f do x=$(n "$f"); case $s in *"
$x
"*) exit 1;; esac; s="$s$x
"; done; exit 0`;

const stepFrame = (
  step: FramedStep,
  timeoutMs: number,
  withEnvironment: AlongOptions["withEnvironment"],
): Frame => {
  const compiled = compileStep(step);
  return {
    kind: "step",
    script: withEnvironment(compiled.script),
    timeoutMs,
    okCodes: compiled.okCodes,
    onlyAfterSuccess: true,
    ...(compiled.stdin === undefined ? {} : { stdin: compiled.stdin }),
  };
};

function newFilesFrame(items: readonly Along[], timeoutMs: number): Frame {
  const files = items.flatMap(({ steps: [step] }) =>
    step?.do === "write" && "bytes" in step.from ? [{ step, bytes: step.from.bytes }] : [],
  );
  return { kind: "ask", script: compileNewFiles(files), timeoutMs, onlyAfterSuccess: true };
}

function readFiles(items: readonly Along[], outcome: FrameResult | undefined): DoneAlong[] {
  if (outcome === undefined || outcome.skipped || outcome.timedOut) return [];
  const done = readNewFiles(items.length, outcome);
  const elapsedMs = outcome.elapsedMs / items.length;
  const result = { ok: true, code: 0, stdout: new Uint8Array(), stderr: new Uint8Array(), elapsedMs };
  return items.filter((_, at) => done.has(at)).map((item) => ({ ...item, results: [result] }));
}

function readSteps(items: readonly Along[], outcomes: readonly (FrameResult | undefined)[]): DoneAlong[] {
  let from = 0;
  return items.flatMap((item) => {
    const results = item.steps.flatMap((step, at) => {
      const outcome = outcomes[from + at];
      return outcome === undefined || outcome.skipped ? [] : [readStepResult(step, outcome)];
    });
    from += item.steps.length;
    return results.length === item.steps.length && results.every(({ ok }) => ok)
      ? [{ ...item, results }]
      : [];
  });
}
