/**
 * The steps of one message, in pieces that leave at once: small files of one kind that stand side by side (a folder that
 * is copied) are written by one script, everything else by a script of its own.
 */
import { readFile } from "node:fs/promises";
import { compileFiles, fileKind, readDone } from "../host/compile-files.ts";
import { type CompiledStep, compileStep, readStepResult } from "../host/compile-step.ts";
import { limits as hostLimits } from "../host/limits.ts";
import type { PathStat } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";
import type { FrameResult } from "../transport/session.ts";
import { limits } from "./limits.ts";

export type FramedStep = Extract<Step, { do: "run" | "write" }>;
type WriteStep = Extract<Step, { do: "write" }>;

/** What was found at a path. Undefined: nobody asked. */
export type Found = (path: string) => PathStat | "nothing" | undefined;

/** Steps that become one frame. */
export interface Unit {
  readonly steps: FramedStep[];
  /** Where they stand among the segment's steps. */
  readonly places: number[];
  /** Files that are written together, and what they have in common. */
  readonly kind: string | undefined;
  readonly before: (PathStat | "nothing")[];
  bytes: number;
}
export interface FramedSegment {
  readonly kind: "framed";
  readonly units: Unit[];
  count: number;
  bytes: number;
}
export type Segment = FramedSegment | { readonly kind: "special"; readonly step: Exclude<Step, FramedStep> };

export function segmentsOf(steps: readonly Step[], found: Found): Segment[] {
  const segments: Segment[] = [];
  for (const step of steps) {
    if (step.do !== "run" && step.do !== "write") {
      segments.push({ kind: "special", step });
      continue;
    }
    const bytes = inlineBytesOf(step) ?? 0;
    const last = segments.at(-1);
    const isFull = last?.kind === "framed" && last.bytes + bytes > limits.segmentBytes;
    if (last?.kind === "framed" && !isFull) place(last, step, bytes, found);
    else {
      const segment: FramedSegment = { kind: "framed", units: [], count: 0, bytes: 0 };
      place(segment, step, bytes, found);
      segments.push(segment);
    }
  }
  return segments;
}

/** What the message's text holds. Undefined: it is streamed. */
function inlineBytesOf(step: FramedStep): number | undefined {
  if (step.do === "run") return step.stdin?.length ?? 0;
  const bytes = "bytes" in step.from ? step.from.bytes.length : step.from.sizeBytes;
  return bytes > hostLimits.inlineBytes ? undefined : bytes;
}

function place(segment: FramedSegment, step: FramedStep, bytes: number, found: Found): void {
  const at = segment.count++;
  segment.bytes += bytes;
  const before = step.do === "write" ? found(step.path) : undefined;
  const kind = step.do === "write" && before !== undefined ? kindOf(step, before) : undefined;
  const mate = kind === undefined ? undefined : mateOf(segment.units, kind, bytes);
  if (mate !== undefined && before !== undefined) {
    mate.steps.push(step);
    mate.places.push(at);
    mate.before.push(before);
    mate.bytes += bytes;
    return;
  }
  segment.units.push({
    ...{ steps: [step], places: [at], kind, bytes },
    before: before === undefined ? [] : [before],
  });
}

const nothing = new Uint8Array();

/** A file's size is known before it is read. */
const kindOf = (step: WriteStep, before: PathStat | "nothing"): string | undefined =>
  inlineBytesOf(step) === undefined ? undefined : fileKind({ ...step, from: { bytes: nothing } }, before);

/** Files of other kinds may stand between, as they are of other paths: anything else may not. */
function mateOf(units: readonly Unit[], kind: string, bytes: number): Unit | undefined {
  for (let at = units.length - 1; at >= 0; at--) {
    const unit = units[at];
    if (unit?.kind === undefined) return undefined;
    if (unit.kind === kind) return unit.bytes + bytes > limits.batchBytes ? undefined : unit;
  }
  return undefined;
}

export interface CompiledUnit extends CompiledStep {
  /** One result a step, as far as they are known to have run. */
  read(outcome: FrameResult): readonly (StepResult | undefined)[];
}

export async function compileUnit(unit: Unit): Promise<CompiledUnit> {
  const steps = await Promise.all(unit.steps.map(withContent));
  const [only] = steps;
  if (only === undefined) throw new Error("a frame without steps");
  if (steps.length === 1) return { ...compileStep(only), read: (outcome) => [readStepResult(only, outcome)] };
  const files = steps.flatMap((step, at) => {
    const before = unit.before[at];
    return step.do === "write" && "bytes" in step.from && before !== undefined
      ? [{ step, bytes: step.from.bytes, before }]
      : [];
  });
  return {
    script: compileFiles(files),
    ...{ okCodes: [0], runsForeignCode: false },
    read: (outcome) => {
      const done = outcome.timedOut ? new Set<number>() : readDone(files.length, outcome);
      return files.map((_, at) => ({ ...outcome, ok: done.has(at), code: done.has(at) ? 0 : outcome.code }));
    },
  };
}

/** A small file of the controller travels inside the message. */
async function withContent(step: FramedStep): Promise<FramedStep> {
  if (step.do !== "write" || "bytes" in step.from || inlineBytesOf(step) === undefined) return step;
  return { ...step, from: { bytes: await readFile(step.from.file) } };
}
