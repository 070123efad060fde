/** A whole folder of the controller to the host: every file decided by itself, all in one plan. */
import type { Answers, PathAnswer, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo } from "./answers.ts";
import { attributeDiffs, planAttributes, statOf, type WantedAttributes, wantedMode } from "./attributes.ts";
import { makeFolder } from "./copy-file.ts";
import type { Mode } from "./file-mode.ts";
import { joinPath } from "./host-path.ts";
import type { Diff, Plan, TreeEntry } from "./module.ts";
import { fileQuestion, planFile } from "./plan-file.ts";

export interface TreeGoal {
  /** Where the entries go below. */
  readonly root: string;
  readonly entries: readonly TreeEntry[];
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly mode?: Mode | undefined;
  readonly directoryMode?: Mode | undefined;
  readonly force: boolean;
  readonly backup: boolean;
  readonly diff: boolean;
}

export const askTree = (goal: TreeGoal): readonly Question[] => [
  { of: "path", path: goal.root, want: ["stat"], follow: true },
  ...goal.entries.map(({ path }) => fileQuestion(joinPath(goal.root, path), { diff: goal.diff })),
];

export const readTree = (answers: Answers): readonly PathAnswer[] =>
  answers.map((_, index) => answerTo(answers, index, "path"));

export function planTree(goal: TreeGoal, current: readonly PathAnswer[]): Plan {
  const steps: Step[] = [];
  const diffs: Diff[] = [];
  if (current[0]?.stat.exists === false) {
    steps.push(makeFolder(goal.root), ...newFolderAttributes(goal, goal.root));
  }
  for (const [index, entry] of goal.entries.entries()) {
    const answer = current[index + 1];
    if (answer === undefined) throw new Error("a tree entry was not asked for");
    const plan = planEntry(goal, entry, answer);
    if (plan.fail !== undefined) return plan;
    steps.push(...plan.steps);
    diffs.push(...plan.diffs);
  }
  return { steps, diffs };
}

function planEntry(goal: TreeGoal, { path: relative, mode, entry }: TreeEntry, answer: PathAnswer): Plan {
  const path = joinPath(goal.root, relative);
  const stat = statOf(answer);
  if (entry.type === "directory") return planFolder(goal, path, answer);
  if (stat !== undefined && !goal.force) return { steps: [], diffs: [] };
  if (entry.type === "link") {
    if (answer.linkTarget === entry.target) return { steps: [], diffs: [] };
    return {
      steps: [{ do: "run", why: `link ${path}`, argv: ["ln", "-sfn", "--", entry.target, path] }],
      diffs: [{ path, before: answer.linkTarget ?? "", after: entry.target }],
    };
  }
  const wanted: WantedAttributes =
    goal.mode?.kind === "preserve" ? { ...goal, mode: { kind: "octal", bits: mode & 0o7777 } } : goal;
  return planFile({
    path,
    current: answer,
    from:
      entry.bytes === undefined
        ? { file: entry.file, sha256: entry.sha256, sizeBytes: entry.sizeBytes }
        : { bytes: entry.bytes },
    sha256: entry.sha256,
    wanted,
    backup: goal.backup,
    follow: false,
  });
}

const folderWants = (goal: TreeGoal): WantedAttributes => ({
  owner: goal.owner,
  group: goal.group,
  mode: goal.directoryMode,
});

function planFolder(goal: TreeGoal, path: string, answer: PathAnswer): Plan {
  const stat = statOf(answer);
  if (stat === undefined) {
    return {
      steps: [makeFolder(path), ...newFolderAttributes(goal, path)],
      diffs: [{ path, before: "", after: "(folder)\n" }],
    };
  }
  if (stat.type === "link") return { steps: [], diffs: [] };
  if (stat.type !== "directory") {
    return { steps: [], diffs: [], fail: `"${path}" is not a folder but a ${stat.type}` };
  }
  const attributes = planAttributes(path, stat, folderWants(goal));
  return { steps: attributes.steps, diffs: attributeDiffs(path, attributes) };
}

function newFolderAttributes(goal: TreeGoal, path: string): readonly Step[] {
  const { owner, group, mode } = folderWants(goal);
  const digits = wantedMode(mode, undefined, true);
  const set = (what: string, argv: readonly string[]): Step => ({
    do: "run",
    why: `set the ${what} of ${path}`,
    argv: [...argv, "--", path],
  });
  return [
    ...(owner === undefined ? [] : [set("owner", ["chown", owner])]),
    ...(group === undefined ? [] : [set("group", ["chgrp", group])]),
    ...(digits === undefined ? [] : [set("mode", ["chmod", `0${digits}`])]),
  ];
}
