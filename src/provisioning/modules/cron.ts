import type { z } from "zod";
import type { Answers, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, bytesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { cronLines, cronNames, editCron, hasVariable } from "./cron-table.ts";
import { defineModule } from "./define-module.ts";
import { joinPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";

const specialTimes = ["reboot", "yearly", "annually", "monthly", "weekly", "daily", "hourly"] as const;

const args = defineArgs(
  {
    name: text("What the entry is called; it is found again by this name.", { required: true }),
    state: choice(["present", "absent"])("Shall the entry be there?", { default: "present" }),
    job: text("The command, or with env the value.", { aliases: ["value"] }),
    minute: text("0-59, *, */2, …", { default: "*" }),
    hour: text("0-23, *, */2, …", { default: "*" }),
    day: text("Day of the month, 1-31, *, */2, …", { default: "*", aliases: ["dom"] }),
    month: text("1-12, *, */2, …", { default: "*" }),
    weekday: text("0-6 for Sunday to Saturday, *, …", { default: "*", aliases: ["dow"] }),
    special_time: choice(specialTimes)("Instead of the five fields."),
    disabled: flag("Keep the entry, but as a comment.", { default: false }),
    env: flag("The entry is a variable of the table: NAME=value.", { default: false }),
    insertafter: text("env: put a new variable after this one."),
    insertbefore: text("env: put a new variable before this one."),
    user: text(
      "Whose table; with cron_file, who runs the job. Default: the acting user, root with cron_file.",
    ),
    cron_file: path("A file of /etc/cron.d instead of a user's table."),
    backup: flag("Keep the old table: a file in /tmp, named in the result.", { default: false }),
  },
  {
    exclusive: [["insertafter", "insertbefore"]],
    check(args) {
      if (args.state === "present" && args.job === undefined) return '"job" is required with state "present"';
      if ((args.insertafter ?? args.insertbefore) !== undefined && !args.env)
        return "insertafter and insertbefore need env";
      const timed = [args.minute, args.hour, args.day, args.month, args.weekday].some(
        (field) => field !== "*",
      );
      if (args.special_time !== undefined && timed)
        return "special_time excludes minute, hour, day, month, weekday";
      return args.special_time === "reboot" && args.disabled && args.env
        ? "env cannot be disabled"
        : undefined;
    },
  },
);
export type CronArgs = z.infer<typeof args>;

interface CronState {
  readonly table: string;
  readonly hasCrontab: boolean;
}

/** A user's table as crontab prints it; code 7: there is no cron on the host. */
const tableSh = `command -v crontab >/dev/null || exit 7
if [ -n "$1" ] && [ "$1" != "$(id -un)" ]; then crontab -l -u "$1"; else crontab -l; fi 2>/dev/null; exit 0`;

const filePath = (args: CronArgs): string | undefined =>
  args.cron_file === undefined
    ? undefined
    : joinPath("/etc/cron.d", args.cron_file.replace(/^\/etc\/cron\.d\//, ""));
const pathOf = (args: CronArgs): string | undefined =>
  args.cron_file?.startsWith("/") === true ? args.cron_file : filePath(args);

function ask(args: CronArgs): readonly Question[] {
  const path = pathOf(args);
  if (path === undefined) return [{ of: "script", sh: tableSh, args: [args.user ?? ""] }];
  return [{ of: "path", path, want: ["stat", "content"], follow: true }];
}

function read(answers: Answers, args: CronArgs): CronState {
  if (pathOf(args) !== undefined) {
    const { content } = answerTo(answers, 0, "path");
    return { table: content === undefined ? "" : textOf(content), hasCrontab: true };
  }
  const answer = answerTo(answers, 0, "script");
  return { table: textOf(answer.stdout), hasCrontab: answer.code !== 7 };
}

const installSh = `if [ -n "$1" ] && [ "$1" != "$(id -un)" ]; then crontab -u "$1" -; else crontab -; fi`;
const backupSh = `f=$(mktemp /tmp/crontab.XXXXXX) && cat >"$f" && printf 'backup: %s\\n' "$f"`;

function plan(args: CronArgs, state: CronState, context: ModuleContext): Plan {
  if (!state.hasCrontab) {
    return { steps: [], diffs: [], fail: "there is no crontab on the host: install the package cron" };
  }
  const anchor = args.insertafter ?? args.insertbefore;
  if (anchor !== undefined && args.state === "present" && !hasVariable(state.table, anchor)) {
    return { steps: [], diffs: [], fail: `the table has no variable "${anchor}"` };
  }
  const after = editCron(state.table, args);
  if (after === state.table) return { steps: [], diffs: [] };
  const path = pathOf(args);
  const user = args.user ?? context.facts.base.user;
  const where = path ?? `crontab of ${user}`;
  const write: Step =
    path === undefined
      ? {
          do: "run",
          why: `install the ${where}`,
          argv: ["sh", "-c", installSh, "sh", args.user ?? ""],
          stdin: bytesOf(after),
        }
      : { do: "write", why: `write ${path}`, path, from: { bytes: bytesOf(after) }, mode: "0644" };
  const keep: Step[] =
    args.backup && state.table !== ""
      ? [{ do: "run", why: "keep the old table", argv: ["sh", "-c", backupSh], stdin: bytesOf(state.table) }]
      : [];
  return { steps: [...keep, write], diffs: [{ path: where, before: state.table, after }] };
}

export default defineModule({
  kind: "host",
  name: "cron",
  summary: "Sees to it that a job, or a variable, is in a table of cron.",
  args,
  example:
    "- name: the proxy follows the apps\n  cron:\n    name: haproxy bridge\n    minute: '*'\n    job: /usr/local/bin/haproxy-marathon-bridge >/dev/null 2>&1\n",
  reads: "host",
  ask,
  read,
  plan,
  result(state, outcome, args) {
    const after = cronLines(editCron(state.table, args));
    const kept = outcome.steps
      .map(({ result }) => textOf(result.stdout))
      .find((out) => out.startsWith("backup: "));
    return {
      jobs: [...cronNames(after)],
      envs: after.flatMap((line) => /^(\w+)\s*=/.exec(line)?.[1] ?? []),
      ...(args.cron_file === undefined ? {} : { cron_file: args.cron_file }),
      ...(kept === undefined ? {} : { backup_file: kept.slice("backup: ".length).trim() }),
    };
  },
});
