/** From "this file shall hold these bytes and have these attributes" to steps: the end of copy, template and their kin. */
import type { JsonObject } from "../../base/json.ts";
import type { PathAnswer, Question } from "../host/question.ts";
import type { Source, Step } from "../host/step.ts";
import { textOf } from "./answers.ts";
import { flag, text } from "./arguments.ts";
import { attributeDiffs, planAttributes, statOf, type WantedAttributes, wantedMode } from "./attributes.ts";
import { shownContent } from "./file-text.ts";
import type { Diff, Outcome, Plan } from "./module.ts";

export const writeArgs = {
  backup: flag("Keep the old file beside the new one, with the time in its name.", { default: false }),
  validate: text("A command that must accept the new file (%s) before it takes the old one's place."),
};

export interface FileGoal {
  readonly path: string;
  readonly current: PathAnswer;
  readonly from: Source;
  readonly sha256: string;
  readonly wanted: WantedAttributes;
  readonly backup?: boolean | undefined;
  readonly validate?: string | undefined;
  readonly unsafeWrites?: boolean | undefined;
  /** false: a link at the path is replaced, not written through. */
  readonly follow?: boolean | undefined;
  /** Never shown in a diff. */
  readonly secret?: boolean | undefined;
}

/** What must be known of a file that shall have certain contents. */
export const fileQuestion = (path: string, options: { diff: boolean; follow?: boolean }): Question => ({
  of: "path",
  path,
  want: options.diff ? ["stat", "hash", "link", "content"] : ["stat", "hash", "link"],
  ...(options.follow === undefined ? {} : { follow: options.follow }),
});

export function planFile(goal: FileGoal): Plan {
  const stat = statOf(goal.current);
  if (goal.validate !== undefined && !goal.validate.includes("%s")) {
    return {
      steps: [],
      diffs: [],
      fail: `validate must contain %s, which stands for the file: "${goal.validate}"`,
    };
  }
  if (stat?.type === "directory") {
    return { steps: [], diffs: [], fail: `"${goal.path}" is a directory` };
  }
  if (goal.current.denied === true) {
    return {
      steps: [],
      diffs: [],
      fail: `"${goal.path}" may not be read by this user: become: true may help`,
    };
  }
  if (stat?.type === "file" && goal.current.sha256 === goal.sha256) {
    const attributes = planAttributes(goal.path, stat, goal.wanted);
    return { steps: attributes.steps, diffs: attributeDiffs(goal.path, attributes) };
  }
  const inPlace = goal.unsafeWrites === true && stat !== undefined;
  return { steps: inPlace ? writeInPlace(goal) : [writeWhole(goal)], diffs: contentDiffs(goal) };
}

function writeWhole(goal: FileGoal): Step {
  const stat = statOf(goal.current);
  const mode = wantedMode(goal.wanted.mode, stat?.type === "link" ? undefined : stat);
  return {
    do: "write",
    why: `write ${goal.path}`,
    path: goal.path,
    from: goal.from,
    ...(goal.wanted.owner === undefined ? {} : { owner: goal.wanted.owner }),
    ...(goal.wanted.group === undefined ? {} : { group: goal.wanted.group }),
    ...(mode === undefined ? {} : { mode }),
    ...(goal.validate === undefined ? {} : { validate: goal.validate }),
    ...(goal.backup === true ? { backup: true } : {}),
    ...(goal.follow === false ? { follow: false } : {}),
  };
}

/** Keeps $1 beside itself, and prints the name. */
export const keepSh =
  'b=$1.$$.$(date +%Y-%m-%d@%H:%M:%S)~; cp -aL -- "$1" "$b" && printf "backup: %s\\n" "$b"';

/** Where the old file went, if it was kept. */
export function backupOf(outcome: Outcome): string | undefined {
  for (const { result } of outcome.steps) {
    const kept = result.backupPath ?? /^backup: (.*~)\n$/s.exec(textOf(result.stdout))?.[1];
    if (kept !== undefined) return kept;
  }
  return undefined;
}

export function backupResult(outcome: Outcome): JsonObject {
  const kept = backupOf(outcome);
  return kept === undefined ? {} : { backup_file: kept };
}

/** For files that cannot be renamed over, such as those mounted into a container. */
function writeInPlace(goal: FileGoal): readonly Step[] {
  const stat = statOf(goal.current);
  if (stat === undefined || !("bytes" in goal.from)) return [writeWhole(goal)];
  const write: Step = {
    do: "run",
    why: `write into ${goal.path}`,
    argv: ["sh", "-c", 'cat >"$1"', "sh", goal.path],
    stdin: goal.from.bytes,
  };
  const keep: Step = {
    do: "run",
    why: `keep the old ${goal.path}`,
    argv: ["sh", "-c", keepSh, "sh", goal.path],
  };
  const attributes = planAttributes(goal.path, stat, goal.wanted).steps;
  return [...(goal.backup === true ? [keep] : []), write, ...attributes];
}

function contentDiffs(goal: FileGoal): readonly Diff[] {
  const before = goal.current.content;
  if (before === undefined && statOf(goal.current)?.type === "file") return [];
  return [
    {
      path: goal.path,
      before: before === undefined ? "" : shownContent(before),
      after:
        "bytes" in goal.from ? shownContent(goal.from.bytes) : `(a file of ${goal.from.sizeBytes} bytes)\n`,
      ...(goal.secret === true ? { secret: true } : {}),
    },
  ];
}
