/** One file to one place: what copy and template share. The place may turn out to be a folder. */
import type { JsonObject } from "../../base/json.ts";
import type { Answers, PathAnswer, Question } from "../host/question.ts";
import type { Source } from "../host/step.ts";
import { answerTo } from "./answers.ts";
import { pathAfter, statOf, type WantedAttributes } from "./attributes.ts";
import { digestOf } from "./digest.ts";
import { baseName, hostPath, joinPath } from "./host-path.ts";
import type { ModuleContext, Outcome, Plan, SourceAnswer } from "./module.ts";
import { backupResult, fileQuestion, planFile } from "./plan-file.ts";

export interface CopyGoal extends WantedAttributes {
  readonly dest: string;
  /** The name that the file gets in a folder; none for text given in the task. */
  readonly fileName: string | undefined;
  readonly follow: boolean;
  readonly force: boolean;
  readonly backup: boolean;
  readonly validate?: string | undefined;
  readonly unsafe_writes: boolean;
}

export interface CopyState {
  readonly dest: PathAnswer;
  readonly inside: PathAnswer | undefined;
  /** What dest is, through a link. */
  readonly isFolder: boolean;
}

export const sourceOf = (answer: SourceAnswer | undefined): Source | undefined => {
  if (answer?.kind === "file") return { bytes: answer.bytes };
  if (answer?.kind === "large") {
    return { file: answer.file, sha256: answer.sha256, sizeBytes: answer.sizeBytes };
  }
  return undefined;
};

export const sha256Of = (source: Source): string =>
  "bytes" in source ? digestOf(source.bytes, "sha256") : source.sha256;

const isFolderPath = (dest: string): boolean => dest.endsWith("/");

export function askCopy(goal: CopyGoal, context: ModuleContext): readonly Question[] {
  const dest = hostPath(goal.dest, context);
  const options = { diff: context.diff, follow: goal.follow };
  const questions: Question[] = [fileQuestion(dest, options)];
  if (goal.fileName !== undefined) {
    questions.push(fileQuestion(joinPath(dest, goal.fileName), options));
    questions.push({ of: "path", path: dest, want: ["stat"], follow: true });
  }
  return questions;
}

export const readCopy = (answers: Answers, goal: CopyGoal): CopyState => ({
  dest: answerTo(answers, 0, "path"),
  inside: goal.fileName === undefined ? undefined : answerTo(answers, 1, "path"),
  isFolder: goal.fileName !== undefined && statOf(answerTo(answers, 2, "path"))?.type === "directory",
});

/** Where the file may come to lie: at dest, or in it. */
export function copyPlaces(
  { dest, fileName }: Pick<CopyGoal, "dest" | "fileName">,
  context: ModuleContext,
): readonly string[] {
  const path = hostPath(dest, context);
  return fileName === undefined ? [path] : [path, joinPath(path, fileName)];
}

/** Is the destination a folder that the file goes into? A link to a folder counts as one. */
function goesInside(goal: CopyGoal, state: CopyState): boolean {
  if (goal.fileName === undefined) return false;
  return isFolderPath(goal.dest) || state.isFolder;
}

export function finalPath(goal: CopyGoal, state: CopyState, context: ModuleContext): string {
  const dest = hostPath(goal.dest, context);
  return goesInside(goal, state) && goal.fileName !== undefined ? joinPath(dest, goal.fileName) : dest;
}

export function planCopy(goal: CopyGoal, source: Source, state: CopyState, context: ModuleContext): Plan {
  const inside = goesInside(goal, state);
  const path = finalPath(goal, state, context);
  const current = (inside ? state.inside : state.dest) ?? state.dest;
  if (!inside && goal.fileName === undefined && isFolderPath(goal.dest)) {
    return { steps: [], diffs: [], fail: `"${path}" is a folder; content needs the path of a file` };
  }
  if (current.stat.exists && !goal.force) return { steps: [], diffs: [] };
  const plan = planFile({
    path,
    current,
    from: source,
    sha256: sha256Of(source),
    wanted: goal,
    backup: goal.backup,
    validate: goal.validate,
    unsafeWrites: goal.unsafe_writes,
    follow: goal.follow,
  });
  const missingFolder = inside && !state.dest.stat.exists && plan.fail === undefined;
  return missingFolder ? { ...plan, steps: [makeFolder(hostPath(goal.dest, context)), ...plan.steps] } : plan;
}

export const makeFolder = (path: string) => ({
  do: "run" as const,
  why: `make the folder ${path}`,
  argv: ["mkdir", "-p", "--", path],
});

interface Copied {
  readonly goal: CopyGoal;
  readonly source: Source | undefined;
  readonly state: CopyState;
  readonly context: ModuleContext;
  readonly outcome: Outcome;
}

export function copyResult({ goal, source, state, context, outcome }: Copied): JsonObject {
  const inside = goesInside(goal, state);
  const stat = statOf((inside ? state.inside : state.dest) ?? state.dest);
  const path = finalPath(goal, state, context);
  const large = context.sources[0];
  const bytes = source !== undefined && "bytes" in source ? source.bytes : undefined;
  const size = bytes?.length ?? (source !== undefined && "file" in source ? source.sizeBytes : undefined);
  return {
    ...pathAfter(outcome, stat, goal),
    dest: path,
    path,
    state: "file",
    ...(size === undefined ? {} : { size }),
    ...(large?.kind === "large" ? { checksum: large.sha1 } : {}),
    ...(bytes === undefined ? {} : { checksum: digestOf(bytes, "sha1") }),
    // As in Ansible: of what was sent.
    ...(bytes === undefined || !outcome.changed ? {} : { md5sum: digestOf(bytes, "md5") }),
    ...backupResult(outcome),
  };
}

export const fileNameOf = (src: string): string => baseName(src);
