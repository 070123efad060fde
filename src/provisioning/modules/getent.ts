import { answerTo, linesOf, textOf } from "./answers.ts";
import { defineArgs, flag, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const colonDatabases = ["passwd", "shadow", "group", "gshadow"];

/** getent's exit codes that mean something of their own. */
const problems: Readonly<Record<number, (database: string) => string>> = {
  1: (database) => `the host has no database "${database}"`,
  3: (database) => `the database "${database}" cannot be listed: give a key`,
};

export default defineModule({
  kind: "host",
  name: "getent",
  summary: "Reads users, groups, hosts, services, … as the host knows them, into facts.",
  args: defineArgs({
    database: text("passwd, group, hosts, services, …", { required: true }),
    key: text("Only this entry.", { default: "" }),
    service: text("Where to look: files, ldap, …"),
    split: text("What separates fields. Default: colons in passwd and its kin, else blanks."),
    fail_key: flag("Fail when there is no such key.", { default: true }),
  }),
  example: "- name: is there a zookeeper\n  getent: {database: passwd, key: zookeeper, fail_key: false}\n",
  reads: "host",
  readOnly: true,
  ask(args) {
    const service = args.service === undefined ? [] : ["-s", args.service];
    const key = args.key === "" ? [] : [args.key];
    return [{ of: "script", sh: 'getent "$@"', args: [...service, args.database, ...key] }];
  },
  read: (answers) => answerTo(answers, 0, "script"),
  plan(args, answer): Plan {
    const problem = problems[answer.code]?.(args.database);
    if (problem !== undefined) return { steps: [], diffs: [], fail: problem };
    const isMissing = answer.code === 2 && args.fail_key;
    const fail = `the database "${args.database}" has no key "${args.key}"`;
    return { steps: [], diffs: [], ...(isMissing ? { fail } : {}) };
  },
  result(answer, _outcome, args) {
    const separator = args.split ?? (colonDatabases.includes(args.database) ? ":" : /\s+/);
    const rows = linesOf(textOf(answer.stdout)).map((line) => line.split(separator));
    const found = Object.fromEntries(rows.map(([name = "", ...fields]) => [name, fields]));
    const missing = answer.code === 2 ? { [args.key]: null } : {};
    return {
      ansible_facts: { [`getent_${args.database}`]: { ...found, ...missing } },
      ...(answer.code === 2 ? { msg: "One or more supplied key could not be found in the database." } : {}),
    };
  },
});
