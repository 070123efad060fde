/**
 * What travels along with a loop item's steps: the steps of the items after it, when no item can see what another one
 * does (loop-batch.ts). They run after the item's own; one that did not run, or failed, is simply not heard of here, and
 * is asked about and done at its turn. What is alike in many items is done by one program for all of them.
 */
import { shellWords } from "../../base/shell-quote.ts";
import { compileFiles, type NewContent, readDone } from "../host/compile-files.ts";
import { compileRuns } from "../host/compile-runs.ts";
import { compileStep, readStepResult } from "../host/compile-step.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";
import type { Frame, FrameResult } from "../transport/session.ts";
import type { Places } from "./touched.ts";

type FramedStep = Extract<Step, { do: "run" | "write" }>;
type RunStep = Extract<Step, { do: "run" }>;

/** How an item's steps travel. */
export type Manner =
  /** Nothing is to do, and nothing in the message touches what it looked at. */
  | { readonly by: "nothing" }
  /** Nothing is left to do once the file at `path` holds what items before it put there. */
  | { readonly by: "others"; readonly path: string }
  /** One file, written with others of its kind. What later items put there counts. */
  | { readonly by: "file"; readonly kind: string; readonly content: NewContent }
  /** Programs that take the operands of many items. */
  | { readonly by: "runs"; readonly steps: readonly RunStep[] }
  | { readonly by: "itself" };

export interface Along {
  readonly index: number;
  readonly questions: readonly Question[];
  readonly answers: Answers;
  readonly steps: readonly FramedStep[];
  readonly manner: Manner;
  /** What its registered result tells, asked when all is done: nothing in the message touches it twice. */
  readonly after: readonly Question[];
}

export interface DoneAlong extends Along {
  readonly results: readonly StepResult[];
}

export interface AlongFrames {
  readonly frames: readonly Frame[];
  /** The items whose steps all ended well. */
  read(outcomes: readonly (FrameResult | undefined)[]): readonly DoneAlong[];
}

export interface AlongOptions {
  /** Where one of them has two names, nothing is done. */
  readonly places: Places;
  readonly stepTimeoutMs: number;
  readonly withEnvironment: (script: string) => string;
}

/** Frames that belong together, and which items they did. */
interface Part {
  readonly frames: readonly Frame[];
  readonly read: (outcomes: readonly (FrameResult | undefined)[]) => readonly DoneAlong[];
}

export function alongFrames(items: readonly Along[], options: AlongOptions): AlongFrames {
  if (items.length === 0) return { frames: [], read: () => [] };
  const guard: Frame = {
    kind: "ask",
    script: aliasGuard(
      options.places,
      items.some(({ steps }) => steps.some(unmakes)),
    ),
    timeoutMs: options.stepTimeoutMs,
    onlyAfterSuccess: true,
  };
  const parts = partsOf(items, options);
  return {
    frames: [guard, ...parts.flatMap(({ frames }) => frames)],
    read: ([guarded, ...outcomes]) => {
      if (guarded === undefined || guarded.skipped || guarded.timedOut || guarded.code !== 0) return [];
      let from = 0;
      return parts.flatMap(({ frames, read }) => {
        const own = outcomes.slice(from, from + frames.length);
        from += frames.length;
        return read(own);
      });
    },
  };
}

/** A folder that leads through what it removes or links could lead elsewhere afterwards. */
const unmakes = (step: Step): boolean => step.do === "run" && /^(rm|rmdir|ln)$/.test(step.argv[0] ?? "");

function partsOf(items: readonly Along[], options: AlongOptions): Part[] {
  const files = new Map<string, WrittenFile[]>();
  const written = new Map<string, WrittenFile>();
  const right: Along[] = [];
  const runs: Along[] = [];
  const alone: Along[] = [];
  for (const item of items) {
    const { manner } = item;
    if (manner.by === "file") noteFile(files, written, item, manner);
    else if (manner.by === "runs") runs.push(item);
    else if (manner.by === "itself") alone.push(item);
    // Without a file of this message it rides on the steps ahead of it, which ended well.
    else (manner.by === "others" ? (written.get(manner.path)?.items ?? right) : right).push(item);
  }
  return [
    { frames: [], read: () => right.map(asDone) },
    ...(runs.length === 0 ? [] : [runsPart(runs, options)]),
    ...[...files.values()].map((group) => filesPart(group, options)),
    ...alone.map((item) => itemPart(item, options)),
  ];
}

interface WrittenFile {
  content: NewContent;
  readonly items: Along[];
}

function noteFile(
  files: Map<string, WrittenFile[]>,
  written: Map<string, WrittenFile>,
  item: Along,
  { kind, content }: Extract<Manner, { by: "file" }>,
): void {
  const known = written.get(content.step.path);
  if (known !== undefined) {
    known.content = content;
    known.items.push(item);
    return;
  }
  const file: WrittenFile = { content, items: [item] };
  written.set(content.step.path, file);
  const group = files.get(kind);
  if (group === undefined) files.set(kind, [file]);
  else group.push(file);
}

/** An item that is done where one of these ended otherwise keeps none of the others from being done. */
const anyEnd = [0, 1, 2, 126, 127];

function runsPart(items: readonly Along[], { stepTimeoutMs, withEnvironment }: AlongOptions): Part {
  const script = compileRuns(items.flatMap(({ manner }) => (manner.by === "runs" ? [manner.steps] : [])));
  const frame: Frame = {
    ...{ kind: "ask", script: withEnvironment(script) },
    ...{ timeoutMs: stepTimeoutMs, onlyAfterSuccess: true, okCodes: anyEnd },
  };
  return { frames: [frame], read: ([outcome]) => doneOf(items, outcome).map(asDone) };
}

function filesPart(files: readonly WrittenFile[], { stepTimeoutMs }: AlongOptions): Part {
  const script = compileFiles(files.map(({ content }) => content));
  const frame: Frame = {
    ...{ kind: "ask", script, timeoutMs: stepTimeoutMs },
    ...{ onlyAfterSuccess: true, okCodes: anyEnd },
  };
  return {
    frames: [frame],
    read: ([outcome]) => doneOf(files, outcome).flatMap(({ items }) => items.map(asDone)),
  };
}

function doneOf<T extends object>(things: readonly T[], outcome: FrameResult | undefined): T[] {
  if (outcome === undefined || outcome.skipped || outcome.timedOut) return [];
  const done = readDone(things.length, outcome);
  return things.filter((_, at) => done.has(at));
}

const asDone = (item: Along): DoneAlong => ({
  ...item,
  results: item.steps.map(() => ({ ok: true, code: 0, stdout: empty, stderr: empty, elapsedMs: 0 })),
});
const empty = new Uint8Array();

function itemPart(item: Along, { stepTimeoutMs: timeoutMs, withEnvironment }: AlongOptions): Part {
  const frames = item.steps.map((step): Frame => {
    const { script, stdin, stream, okCodes, runsForeignCode } = compileStep(step);
    return {
      kind: runsForeignCode ? "step" : "ask",
      script: withEnvironment(script),
      ...{ timeoutMs, okCodes, onlyAfterSuccess: true },
      ...(stdin === undefined ? {} : { stdin }),
      ...(stream === undefined ? {} : { stream }),
    };
  });
  const read = (outcomes: readonly (FrameResult | undefined)[]): DoneAlong[] => {
    const results = item.steps.flatMap((step, at) => {
      const outcome = outcomes[at];
      return outcome === undefined || outcome.skipped ? [] : [readStepResult(step, outcome)];
    });
    const isDone = results.length === item.steps.length && results.every(({ ok }) => ok);
    return isDone ? [{ ...item, results }] : [];
  };
  return { frames, read };
}

/**
 * Each folder has one name only: no part of the name is a link. A single folder may have another one as well, unless
 * what the name leads through could be removed. What is not there yet is what its nearest ancestor and its name say.
 */
const aliasGuard = ({ folders, followed }: Places, isStrict: boolean): string => `
for f in ${shellWords(followed)}; do [ ! -L "$f" ] || exit 1; done
p() { d=$1 r=; while [ -n "$d" ] && [ ! -d "$d" ]; do [ ! -L "$d" ] || return 1; r=/\${d##*/}$r d=\${d%/*}; done; cd -P -- "\${d:-/}" && r=\${PWD%/}$r; }
set -- ${shellWords(folders)}
${isStrict ? "" : "[ $# -gt 1 ] || exit 0"}
for f do p "$f" && [ "\${r:-/}" = "$f" ] || exit 1; done; exit 0`;
