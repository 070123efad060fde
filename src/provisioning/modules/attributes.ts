/** Owner, group and mode of a path: the arguments, what is missing, and what a result says of them. */
import type { JsonObject } from "../../base/json.ts";
import type { PathAnswer, PathStat, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { flag, mode, text } from "./arguments.ts";
import { assumedUmask, type Mode, octalDigits, resolveMode, shownMode } from "./file-mode.ts";
import type { Diff, Outcome } from "./module.ts";

const selinux = (what: string) =>
  text(`SELinux ${what} of the file. Accepted for roles that set it; hosts without SELinux have none.`);

export const ownershipArgs = {
  owner: text("Name or number of the user who shall own the file."),
  group: text("Name or number of the group that shall own the file."),
  mode: mode('Permissions: "0644", or letters as for chmod: "u=rw,g=r,o=r".'),
};
export const attributeArgs = {
  ...ownershipArgs,
  selevel: selinux("level"),
  serole: selinux("role"),
  setype: selinux("type"),
  seuser: selinux("user"),
  attributes: text("Flags of the file, as chattr takes them: +i, -i, =e.", { aliases: ["attr"] }),
  unsafe_writes: flag(
    "Write into the existing file instead of replacing it: for a file that cannot be renamed over, such as one mounted into a container.",
    { default: false },
  ),
};

export interface WantedAttributes {
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly mode?: Mode | undefined;
}

export const statOf = (answer: PathAnswer): PathStat | undefined =>
  answer.stat.exists ? answer.stat : undefined;

export const isOwner = (stat: PathStat, owner: string): boolean =>
  stat.owner === owner || String(stat.uid) === owner;
export const isGroup = (stat: PathStat, group: string): boolean =>
  stat.group === group || String(stat.gid) === group;

/** The mode that a path shall have, as octal digits; undefined when the task does not care. */
export function wantedMode(
  wanted: Mode | undefined,
  stat: PathStat | undefined,
  isDirectory = false,
): string | undefined {
  if (wanted === undefined || wanted.kind === "preserve") return undefined;
  const fresh = (isDirectory ? 0o777 : 0o666) & ~assumedUmask;
  return octalDigits(resolveMode(wanted, { bits: stat?.mode ?? fresh, isDirectory }));
}

export interface AttributePlan {
  readonly steps: readonly Step[];
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

/** What chown, chgrp and chmod must do to a path that exists. */
export function planAttributes(path: string, stat: PathStat, wanted: WantedAttributes): AttributePlan {
  const steps: Step[] = [];
  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  const isLink = stat.type === "link";
  const change = (what: string, values: readonly [string, string], argv: readonly string[]) => {
    steps.push({
      do: "run",
      why: `set the ${what} of ${path}`,
      argv: [...argv, "--", path],
      touches: [path],
    });
    [before[what], after[what]] = values;
  };
  const through = isLink ? ["-h"] : [];
  if (wanted.owner !== undefined && !isOwner(stat, wanted.owner)) {
    change("owner", [stat.owner, wanted.owner], ["chown", ...through, wanted.owner]);
  }
  if (wanted.group !== undefined && !isGroup(stat, wanted.group)) {
    change("group", [stat.group, wanted.group], ["chgrp", ...through, wanted.group]);
  }
  const mode = wantedMode(wanted.mode, stat, stat.type === "directory");
  // chown clears the setuid and setgid bits, so a mode that has them is set again after it.
  const cleared = steps.length > 0 && mode !== undefined && (Number.parseInt(mode, 8) & 0o6000) !== 0;
  if (mode !== undefined && !isLink && (cleared || mode !== octalDigits(stat.mode))) {
    const digits = stat.type === "directory" ? `0${mode}` : mode;
    change("mode", [octalDigits(stat.mode), mode], ["chmod", digits]);
  }
  return { steps, before, after };
}

const asText = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");

/** The diff of attributes, as text; none when nothing differs. */
export const attributeDiffs = (path: string, plan: AttributePlan): readonly Diff[] =>
  Object.keys(plan.after).length === 0
    ? []
    : [{ path, before: asText(plan.before), after: asText(plan.after) }];

/** owner, group, mode, size, state … of a path as it was, with what the task wanted on top. */
export function pathResult(
  stat: PathStat | undefined,
  wanted: WantedAttributes,
  isDirectory = stat?.type === "directory",
): JsonObject {
  const digits = wantedMode(wanted.mode, stat, isDirectory) ?? (stat && octalDigits(stat.mode));
  const mode = digits === undefined ? undefined : shownMode(Number.parseInt(digits, 8));
  const owner = stat && isOwner(stat, wanted.owner ?? stat.owner) ? stat.owner : wanted.owner;
  const group = stat && isGroup(stat, wanted.group ?? stat.group) ? stat.group : wanted.group;
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    ...(mode === undefined ? {} : { mode }),
    ...(stat === undefined ? {} : numbersOf(stat, wanted)),
  };
}

/** As the path is now, where the host was asked after the steps; else as it was, with what the task wanted on top. */
export function pathAfter(
  outcome: Outcome,
  stat: PathStat | undefined,
  wanted: WantedAttributes,
  isDirectory = stat?.type === "directory",
): JsonObject {
  const [answer] = outcome.after ?? [];
  const now = answer?.of === "path" ? statOf(answer.value) : undefined;
  return now === undefined ? pathResult(stat, wanted, isDirectory) : pathResult(now, {});
}

/** The question whose answer `pathAfter` reads. */
export const askAfter = (path: string, follow = true): readonly Question[] => [
  { of: "path", path, want: ["stat"], follow },
];

const numbersOf = (stat: PathStat, wanted: WantedAttributes): JsonObject => ({
  ...(wanted.owner === undefined || isOwner(stat, wanted.owner) ? { uid: stat.uid } : {}),
  ...(wanted.group === undefined || isGroup(stat, wanted.group) ? { gid: stat.gid } : {}),
  size: stat.size,
});
