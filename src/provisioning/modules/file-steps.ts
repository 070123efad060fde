/** The longer answers of module file: folders with all that lead to them, and touch with its times. */

import type { PathAnswer } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { attributeDiffs, planAttributes, statOf, type WantedAttributes, wantedMode } from "./attributes.ts";
import type { Plan } from "./module.ts";

export interface Current {
  /** The path itself, a link not followed. */
  readonly own: PathAnswer;
  /** What it leads to. */
  readonly followed: PathAnswer;
  readonly above: readonly { readonly path: string; readonly exists: boolean }[];
  readonly src: PathAnswer | undefined;
  /** recurse: what lies below and is not as wanted. */
  readonly below: { readonly owner: boolean; readonly group: boolean; readonly modes: readonly string[] };
}

export interface TouchArgs extends WantedAttributes {
  readonly follow: boolean;
  readonly modification_time?: string | undefined;
  readonly modification_time_format: string;
  readonly access_time?: string | undefined;
  readonly access_time_format: string;
}

/** Attributes of a path that is there; a link is followed unless the task says otherwise. */
export function existingAttributes(args: TouchArgs, path: string, current: Current): Plan {
  const followed = args.follow ? statOf(current.followed) : undefined;
  const stat = followed ?? statOf(current.own);
  if (stat === undefined) return { steps: [], diffs: [] };
  const attributes = planAttributes(path, stat, args);
  return { steps: attributes.steps, diffs: attributeDiffs(path, attributes) };
}

/** Each folder that is made gets the attributes, as Ansible does. */
export function newFolders(paths: readonly string[], wanted: WantedAttributes): readonly Step[] {
  const last = paths.at(-1) ?? "";
  const mode = wantedMode(wanted.mode, undefined, true);
  const set = (what: string, argv: readonly string[]): Step => ({
    do: "run",
    why: `set the ${what} of ${last}`,
    argv: [...argv, "--", ...paths],
    touches: paths,
  });
  return [
    { do: "run", why: `make the folder ${last}`, argv: ["mkdir", "-p", "--", last], touches: paths },
    ...(wanted.owner === undefined ? [] : [set("owner", ["chown", wanted.owner])]),
    ...(wanted.group === undefined ? [] : [set("group", ["chgrp", wanted.group])]),
    ...(mode === undefined ? [] : [set("mode", ["chmod", `0${mode}`])]),
  ];
}

/** Times in tasks are UTC, so that what they mean does not depend on where the host stands. */
const utc = { TZ: "UTC0" };

type Time = { readonly set: readonly string[] } | "preserve" | { readonly refused: string };

export function planTouch(args: TouchArgs, path: string, current: Current): Plan {
  const exists = current.own.stat.exists;
  const times = [
    timeOf("-m", args.modification_time, args.modification_time_format, exists),
    timeOf("-a", args.access_time, args.access_time_format, exists),
  ];
  const steps: Step[] = [];
  for (const time of times) {
    if (time === "preserve") continue;
    if ("refused" in time) return { steps: [], diffs: [], fail: time.refused };
    if (hasTime(time.set, current)) continue;
    const argv = ["touch", ...time.set, "--", path];
    steps.push({ do: "run", why: `touch ${path}`, argv, env: utc, touches: [path] });
  }
  if (exists) {
    const attributes = existingAttributes(args, path, current);
    return { steps: [...steps, ...attributes.steps], diffs: attributes.diffs };
  }
  const mode = wantedMode(args.mode, undefined);
  const set = (what: string, argv: readonly string[]): Step => ({
    do: "run",
    why: `set the ${what} of ${path}`,
    argv: [...argv, "--", path],
    touches: [path],
  });
  return {
    steps: [
      { do: "run", why: `make the file ${path}`, argv: ["touch", "--", path], touches: [path] },
      ...steps.filter((step) => step.do === "run" && step.argv.includes("-t")),
      ...(args.owner === undefined ? [] : [set("owner", ["chown", args.owner])]),
      ...(args.group === undefined ? [] : [set("group", ["chgrp", args.group])]),
      ...(mode === undefined ? [] : [set("mode", ["chmod", mode])]),
    ],
    diffs: [{ path, before: "state: absent\n", after: "state: file\n" }],
  };
}

/** Times that a task names are set in other states than touch too; without a name they stay. */
export function withTimes(args: TouchArgs, path: string, current: Current, plan: Plan): Plan {
  if (plan.fail !== undefined) return plan;
  const exists = current.own.stat.exists;
  const times = [
    args.modification_time === undefined
      ? "preserve"
      : timeOf("-m", args.modification_time, args.modification_time_format, true),
    args.access_time === undefined
      ? "preserve"
      : timeOf("-a", args.access_time, args.access_time_format, true),
  ] as const;
  const steps: Step[] = [...plan.steps];
  for (const time of times) {
    if (time === "preserve") continue;
    if ("refused" in time) return { steps: [], diffs: [], fail: time.refused };
    if (exists && hasTime(time.set, current)) continue;
    steps.push({ do: "run", why: `touch ${path}`, argv: ["touch", ...time.set, "--", path], env: utc });
  }
  return { ...plan, steps };
}

const hasTime = (flags: readonly string[], current: Current): boolean => {
  const stat = statOf(current.own);
  const digits = flags[flags.indexOf("-t") + 1];
  if (stat === undefined || !flags.includes("-t") || digits === undefined) return false;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)\.(\d\d)$/.exec(digits) ?? [];
  const at = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const actual = flags.includes("-m") ? stat.mtime : stat.atime;
  return Math.floor(actual) === at / 1000;
};

function timeOf(which: string, given: string | undefined, format: string, exists: boolean): Time {
  if (given === "preserve") return exists ? "preserve" : { set: [which] };
  if (given === undefined || given === "now") return { set: [which] };
  const parts = parseTime(given, format);
  if (parts === undefined) return { refused: `"${given}" is not a time of the form "${format}"` };
  return { set: [which, "-t", parts] };
}

const fields: Readonly<Record<string, string>> = { Y: "4", m: "2", d: "2", H: "2", M: "2", S: "2" };

/** A time in strptime's letters, as touch -t wants it. */
function parseTime(given: string, format: string): string | undefined {
  const names: string[] = [];
  const pattern = format.replace(/%([YmdHMS])|[\\^$.*+?()[\]{}|]/g, (part, letter: string | undefined) => {
    if (letter === undefined) return `\\${part}`;
    names.push(letter);
    return `(\\d{${fields[letter]}})`;
  });
  const match = new RegExp(`^${pattern}$`).exec(given);
  if (match === null) return undefined;
  const value = (letter: string, otherwise: string) => match[names.indexOf(letter) + 1] ?? otherwise;
  const has = (letter: string) => names.includes(letter);
  if (!has("Y") || !has("m") || !has("d")) return undefined;
  const time = (letter: string) => (has(letter) ? value(letter, "00") : "00");
  return `${value("Y", "")}${value("m", "")}${value("d", "")}${time("H")}${time("M")}.${time("S")}`;
}
