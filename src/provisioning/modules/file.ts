import { posix } from "node:path";
import type { z } from "zod";
import type { Answers, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { askAfter, attributeArgs, pathAfter, statOf } from "./attributes.ts";
import { defineFlagged } from "./file-flags.ts";
import { chmodDigits, resolveMode } from "./file-mode.ts";
import { type Current, existingAttributes, newFolders, planTouch, withTimes } from "./file-steps.ts";
import { foldersAbove, hostPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";

const states = ["file", "directory", "absent", "link", "hard", "touch"] as const;
type FileState = (typeof states)[number];

const args = defineArgs(
  {
    path: path("The path.", { required: true, aliases: ["dest", "name"] }),
    state: choice(states)(
      "What the path shall be. `file` only sets attributes of what is there. Default: what it is, else file.",
    ),
    src: path("What a link leads to, or the file that a hard link shares."),
    recurse: flag("Set owner, group and mode of all that is in the folder too.", { default: false }),
    force: flag("Make a link although its target is missing, or a file stands in its place.", {
      default: false,
    }),
    follow: flag("Set the attributes of what a link leads to.", { default: true }),
    modification_time: text("touch: `now`, `preserve`, or a time in modification_time_format."),
    modification_time_format: text("How modification_time is written.", { default: "%Y%m%d%H%M.%S" }),
    access_time: text("touch: `now`, `preserve`, or a time in access_time_format."),
    access_time_format: text("How access_time is written.", { default: "%Y%m%d%H%M.%S" }),
    ...attributeArgs,
  },
  {
    check(args) {
      if (args.recurse && args.state !== undefined && args.state !== "directory") {
        return 'recurse needs state "directory"';
      }
      const links = args.state === "link" || args.state === "hard";
      if (links && args.src === undefined) return `"src" is required with state "${args.state}"`;
      if (!links && args.src !== undefined) return 'src needs state "link" or "hard"';
      return undefined;
    },
  },
);
type FileArgs = z.infer<typeof args>;

/** Kinds and modes below $1 as ls writes them (drwxr-xr-x), then whether an owner or group differs. */
const belowSh = `[ -d "$1" ] || exit 0
find "$1" ! -type l -exec ls -lnd -- {} + | cut -c1-10 | sort -u
[ -z "$2" ] || find "$1" ! -user "$2" | head -n 1 | sed 's/.*/owner/'
[ -z "$3" ] || find "$1" ! -group "$3" | head -n 1 | sed 's/.*/group/'`;

const trimmed = (given: string): string => (given.length > 1 ? given.replace(/\/+$/, "") : given);
const pathOf = (args: FileArgs, context: ModuleContext): string => trimmed(hostPath(args.path, context));

/** src of a link is relative to the link's folder. */
const sourcePath = (args: FileArgs, context: ModuleContext): string =>
  posix.resolve(posix.dirname(pathOf(args, context)), hostPath(args.src ?? "", context));

const wantsFolder = (args: FileArgs): boolean => args.state === "directory" || args.recurse;

function ask(args: FileArgs, context: ModuleContext): readonly Question[] {
  const path = pathOf(args, context);
  const questions: Question[] = [
    { of: "path", path, want: ["stat", "link"] },
    { of: "path", path, want: ["stat"], follow: true },
  ];
  if (wantsFolder(args)) {
    for (const above of foldersAbove(path)) {
      questions.push({ of: "path", path: above, want: ["stat"], follow: true });
    }
  }
  if (args.src !== undefined) questions.push({ of: "path", path: sourcePath(args, context), want: ["stat"] });
  if (args.recurse) {
    questions.push({ of: "script", sh: belowSh, args: [path, args.owner ?? "", args.group ?? ""] });
  }
  return questions;
}

function read(answers: Answers, args: FileArgs, context: ModuleContext): Current {
  let next = 2;
  const folders = wantsFolder(args) ? foldersAbove(pathOf(args, context)) : [];
  const above = folders.map((path) => ({ path, exists: answerTo(answers, next++, "path").stat.exists }));
  const src = args.src === undefined ? undefined : answerTo(answers, next++, "path");
  const lines = args.recurse ? textOf(answerTo(answers, next, "script").stdout).split("\n") : [];
  return {
    own: answerTo(answers, 0, "path"),
    followed: answerTo(answers, 1, "path"),
    above,
    src,
    below: {
      owner: lines.includes("owner"),
      group: lines.includes("group"),
      modes: lines.filter((line) => line.length === 10),
    },
  };
}

function stateOf(args: FileArgs, current: Current): FileState {
  if (args.state !== undefined) return args.state;
  const stat = statOf(current.own);
  if (stat?.type === "link") return statOf(current.followed)?.type === "directory" ? "directory" : "file";
  if (stat?.type === "directory" || args.recurse) return "directory";
  return "file";
}

const nothing: Plan = { steps: [], diffs: [] };
const refuse = (fail: string): Plan => ({ steps: [], diffs: [], fail });

function plan(args: FileArgs, current: Current, context: ModuleContext): Plan {
  const path = pathOf(args, context);
  if (current.own.denied === true && !current.own.stat.exists) {
    return refuse(`this user may not look at "${path}": become: true may help`);
  }
  switch (stateOf(args, current)) {
    case "absent":
      return planAbsent(path, current);
    case "directory":
      return withTimes(args, path, current, planDirectory(args, path, current));
    case "link":
      return planLink(args, path, current, hostPath(args.src ?? "", context));
    case "hard":
      return planHard(args, path, current, sourcePath(args, context));
    case "touch":
      return planTouch(args, path, current);
    case "file":
      return withTimes(args, path, current, planExisting(args, path, current));
  }
}

function planAbsent(path: string, current: Current): Plan {
  const stat = statOf(current.own);
  if (stat === undefined) return nothing;
  if (["/", ".", ".."].includes(path)) return refuse(`"${path}" is not a path to remove`);
  const argv = stat.type === "directory" ? ["rm", "-rf", "--", path] : ["rm", "-f", "--", path];
  return {
    steps: [{ do: "run", why: `remove ${path}`, argv, touches: [path] }],
    diffs: [{ path, before: `state: ${stat.type}\n`, after: "state: absent\n" }],
  };
}

function planExisting(args: FileArgs, path: string, current: Current): Plan {
  const stat = statOf(current.own);
  if (stat === undefined) return refuse(`"${path}" does not exist (state "touch" would make it)`);
  if (args.state === "file" && statOf(current.followed)?.type === "directory") {
    return refuse(`"${path}" is a directory, not a file`);
  }
  return existingAttributes(args, path, current);
}

function planDirectory(args: FileArgs, path: string, current: Current): Plan {
  if (!args.follow && statOf(current.own)?.type === "link") {
    return refuse(`"${path}" is a link, not a folder (follow: true takes what it leads to)`);
  }
  const stat = statOf(current.followed);
  if (stat === undefined) {
    if (current.own.stat.exists) return refuse(`"${path}" is a link that leads nowhere`);
    const missing = current.above.filter(({ exists }) => !exists).map((folder) => folder.path);
    return {
      steps: newFolders([...missing, path], args),
      diffs: [{ path, before: "state: absent\n", after: "state: directory\n" }],
    };
  }
  if (stat.type !== "directory") return refuse(`"${path}" is not a folder but a ${stat.type}`);
  const own = existingAttributes(args, path, current);
  if (!args.recurse) return own;
  const below = planBelow(args, path, current);
  return below.length === 0 ? own : { steps: below, diffs: own.diffs };
}

/** chmod and chown of a whole tree, when anything in it is not as wanted. */
function planBelow(args: FileArgs, path: string, current: Current): readonly Step[] {
  const { below } = current;
  const steps: Step[] = [];
  const run = (what: string, argv: readonly string[]) =>
    steps.push({ do: "run", why: `set the ${what} of all in ${path}`, argv });
  if (args.owner !== undefined && below.owner) run("owner", ["chown", "-R", "-h", args.owner, "--", path]);
  if (args.group !== undefined && below.group) run("group", ["chgrp", "-R", "-h", args.group, "--", path]);
  const { mode } = args;
  if (mode === undefined || mode.kind === "preserve") return steps;
  const differs = below.modes.some((line) => {
    const bits = bitsOf(line);
    return resolveMode(mode, { bits, isDirectory: line.startsWith("d") }) !== bits;
  });
  const letters = mode.kind === "octal" ? chmodDigits(mode.bits) : mode.clauses;
  for (const line of below.modes.filter((kind) => /^d.*[sS]/.test(kind))) {
    const bits = bitsOf(line);
    const wanted = resolveMode(mode, { bits, isDirectory: true });
    // chmod g=rx leaves setgid on folders.
    if ((bits & ~wanted & 0o6000) === 0) continue;
    const which = ["-type", "d", "-perm", bits.toString(8)];
    run("mode", ["find", path, ...which, "-exec", "chmod", chmodDigits(wanted), "--", "{}", "+"]);
  }
  if (differs) run("mode", ["find", path, "!", "-type", "l", "-exec", "chmod", letters, "--", "{}", "+"]);
  return steps;
}

/** drwxr-sr-t → bits */
function bitsOf(line: string): number {
  let bits = 0;
  for (const [index, letter] of [...line.slice(1, 10)].entries()) {
    const value = 0o400 >> index;
    if ("rwxst".includes(letter)) bits |= value;
    if ("sStT".includes(letter)) bits |= [0o4000, 0o2000, 0o1000][Math.floor(index / 3)] ?? 0;
  }
  return bits;
}

function planLink(args: FileArgs, path: string, current: Current, target: string): Plan {
  const stat = statOf(current.own);
  if (current.own.linkTarget === target) return existingAttributes(args, path, current);
  if (!args.force && current.src?.stat.exists === false) {
    return refuse(`"${target}" does not exist (force: true makes the link all the same)`);
  }
  if (stat !== undefined && stat.type !== "link" && !args.force) {
    return refuse(`"${path}" is a ${stat.type} (force: true puts the link in its place)`);
  }
  const away: Step[] =
    stat?.type === "directory"
      ? [{ do: "run", why: `remove the empty folder ${path}`, argv: ["rmdir", "--", path] }]
      : [];
  const before = current.own.linkTarget ?? (stat === undefined ? "" : `(${stat.type})`);
  return {
    steps: [
      ...away,
      { do: "run", why: `link ${path}`, argv: ["ln", "-sfn", "--", target, path], touches: [path] },
    ],
    diffs: [{ path, before: before === "" ? "" : `${before}\n`, after: `${target}\n` }],
  };
}

function planHard(args: FileArgs, path: string, current: Current, source: string): Plan {
  const own = statOf(current.own);
  const src = current.src === undefined ? undefined : statOf(current.src);
  if (src === undefined) return refuse(`"${source}" does not exist`);
  if (own?.inode === src.inode && own.device === src.device) return existingAttributes(args, path, current);
  if (own !== undefined && !args.force) {
    return refuse(`"${path}" is there and another file (force: true puts the link in its place)`);
  }
  return {
    steps: [{ do: "run", why: `link ${path}`, argv: ["ln", "-f", "--", source, path] }],
    diffs: [{ path, before: "", after: `(hard link to ${source})\n` }],
  };
}

export default defineFlagged(
  {
    kind: "host",
    name: "file",
    summary: "Sees to it that a path is a folder, a link, gone, and owned by whom.",
    args,
    example:
      "- name: where the data lies\n  file: {path: /var/lib/zookeeper, state: directory, owner: root, mode: '0755'}\n",
    reads: "host",
    ask,
    read,
    plan,
    after(args, current, context) {
      const state = stateOf(args, current);
      return state === "absent" ? [] : askAfter(pathOf(args, context), args.follow && state !== "link");
    },
    result(current, outcome, args, context) {
      const state = stateOf(args, current);
      const path = pathOf(args, context);
      const touched = statOf(current.followed)?.type === "directory" ? "directory" : "file";
      const shown = state === "touch" ? touched : state;
      if (state === "absent") return { path, state };
      const isLink = state === "link";
      const own = isLink && statOf(current.own)?.type !== "link" ? undefined : statOf(current.own);
      const stat = args.follow && !isLink ? statOf(current.followed) : own;
      return {
        path,
        dest: path,
        ...pathAfter(outcome, stat, args, state === "directory"),
        state: shown,
        ...(args.src === undefined ? {} : { src: args.src }),
      };
    },
  },
  {
    candidates: (args, context) => [pathOf(args, context)],
    path: (args, current, context) =>
      stateOf(args, current) === "absent" ? undefined : pathOf(args, context),
  },
);
