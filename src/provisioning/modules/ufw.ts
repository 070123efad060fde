import type { z } from "zod";
import type { Answers, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const args = defineArgs(
  {
    state: choice(["enabled", "disabled", "reloaded", "reset"])(
      "Switch the firewall on or off, reload or empty it.",
    ),
    default: choice(["allow", "deny", "reject"])("What happens to what no rule names.", {
      aliases: ["policy"],
    }),
    direction: choice(["in", "out", "incoming", "outgoing", "routed"])(
      "Which traffic rule or default is for.",
    ),
    logging: choice(["on", "off", "low", "medium", "high", "full"])("How much is logged."),
    rule: choice(["allow", "deny", "limit", "reject"])("A rule."),
    delete: flag("Remove the rule.", { default: false }),
    route: flag("The rule is for forwarded traffic.", { default: false }),
    insert: whole("Number that the rule gets."),
    insert_relative_to: choice(["zero"])("Only zero: counted from the start.", { default: "zero" }),
    log: flag("Log new connections of the rule.", { default: false }),
    from_ip: text("From which address.", { default: "any", aliases: ["from", "src"] }),
    from_port: text("From which port."),
    to_ip: text("To which address.", { default: "any", aliases: ["dest", "to"] }),
    to_port: text("To which port, or range a:b.", { aliases: ["port"] }),
    proto: choice(["any", "tcp", "udp", "ipv6", "esp", "ah", "gre", "igmp"])("Protocol.", {
      aliases: ["protocol"],
    }),
    name: text("An application profile.", { aliases: ["app"] }),
    interface: text("Network interface, with direction.", { aliases: ["if"] }),
    interface_in: text("Interface that traffic comes in by.", { aliases: ["if_in"] }),
    interface_out: text("Interface that traffic goes out by.", { aliases: ["if_out"] }),
    comment: text("A comment on the rule."),
  },
  {
    exclusive: [
      ["name", "proto"],
      ["interface", "interface_in"],
      ["interface", "interface_out"],
    ],
    oneOf: [["state", "default", "rule", "logging"]],
    check: (args) =>
      args.interface !== undefined && args.direction === undefined ? "interface needs direction" : undefined,
  },
);
type UfwArgs = z.infer<typeof args>;

/** The rule as words of ufw, after `ufw [--dry-run]`. */
function ruleWords(given: UfwArgs): readonly string[] {
  const { rule = "allow", direction } = given;
  const place = given.insert === undefined || given.delete ? [] : ["insert", String(given.insert)];
  const word = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  const way = direction?.replace("incoming", "in").replace("outgoing", "out").replace("routed", "in");
  const on = [
    ...(given.interface === undefined ? [] : [way ?? "in", "on", given.interface]),
    ...(given.interface_in === undefined ? [] : ["in", "on", given.interface_in]),
    ...(given.interface_out === undefined ? [] : ["out", "on", given.interface_out]),
  ];
  return [
    ...(given.route ? ["route"] : []),
    ...(given.delete ? ["delete"] : []),
    ...place,
    rule,
    ...(on.length === 0 && way !== undefined ? [way] : on),
    ...(given.log ? ["log"] : []),
    ...word("from", given.from_ip),
    ...word("port", given.from_port),
    ...word("to", given.to_ip),
    ...word("port", given.to_port),
    ...word("proto", given.proto),
    ...word("app", given.name),
    ...(given.delete ? [] : word("comment", given.comment)),
  ];
}

/** Its status, its settings (which the status of a firewall that is off does not tell), and its rules of each family. */
const statusSh = `command -v ufw >/dev/null || exit 7; LC_ALL=C ufw status
grep -h '^DEFAULT_[A-Z]*_POLICY=' /etc/default/ufw; grep -h '^LOGLEVEL=' /etc/ufw/ufw.conf
for d in /lib/ufw /etc/ufw /var/lib/ufw; do
  [ ! -r $d/user.rules ] || sed -n 's/^### tuple/v4 &/p' $d/user.rules
  [ ! -r $d/user6.rules ] || sed -n 's/^### tuple/v6 &/p' $d/user6.rules
done`;

const ask = (given: UfwArgs): readonly Question[] => [
  { of: "script", sh: statusSh, args: [] },
  given.rule === undefined
    ? { of: "script", sh: ":", args: [] }
    : { of: "script", sh: 'LC_ALL=C ufw --dry-run "$@" 2>&1', args: ruleWords(given) },
];

interface UfwState {
  readonly hasUfw: boolean;
  readonly status: readonly string[];
  /** What ufw would do with the rule. */
  readonly dryRun: readonly string[];
  readonly dryRunCode: number;
}

function read(answers: Answers): UfwState {
  const status = answerTo(answers, 0, "script");
  const dry = answerTo(answers, 1, "script");
  return {
    hasUfw: status.code !== 7,
    status: linesOf(textOf(status.stdout)),
    dryRun: linesOf(textOf(dry.stdout)),
    dryRunCode: dry.code,
  };
}

const isActive = (state: UfwState): boolean => state.status.some((line) => /^Status: active/.test(line));

const setting = (state: UfwState, name: string): string =>
  state.status
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1)
    .replaceAll('"', "")
    .toLowerCase() ?? "";

const chains = {
  in: "INPUT",
  incoming: "INPUT",
  out: "OUTPUT",
  outgoing: "OUTPUT",
  routed: "FORWARD",
} as const;
const policies = { allow: "accept", deny: "drop", reject: "reject" } as const;

function hasDefault(given: UfwArgs, state: UfwState): boolean {
  if (given.default === undefined) return true;
  const chain = chains[given.direction ?? "incoming"];
  return setting(state, `DEFAULT_${chain}_POLICY`) === policies[given.default];
}

function hasLogging(given: UfwArgs, state: UfwState): boolean {
  const level = setting(state, "LOGLEVEL");
  return given.logging === "on" ? level !== "" && level !== "off" : level === given.logging;
}

/**
 * Whether the rules would stay as they are. A dry run shows the rules of each family that the rule is of; only where all
 * of them are skipped does it show none. Its last line is no help: it reports an update either way.
 */
function isRuleThere(state: UfwState): boolean {
  const shown = new Map<string, string[]>();
  let family = "";
  for (const line of state.dryRun) {
    const start = /^:ufw(6?)-user-input /.exec(line);
    if (start !== null) family = start[1] === "6" ? "v6" : "v4";
    if (family !== "" && !shown.has(family)) shown.set(family, []);
    if (line.startsWith("### tuple")) shown.get(family)?.push(line.trim());
  }
  if (shown.size === 0)
    return state.dryRun.some((line) => /^(Skipping |Could not delete non-existent)/.test(line));
  return [...shown].every(([name, rules]) => {
    const current = state.status.filter((line) => line.startsWith(`${name} `));
    return current.map((line) => line.slice(name.length + 1).trim()).join("\n") === rules.join("\n");
  });
}

function plan(given: UfwArgs, state: UfwState): Plan {
  if (!state.hasUfw)
    return { steps: [], diffs: [], fail: "there is no ufw on the host: install the package ufw" };
  const steps: Step[] = [];
  const run = (why: string, ...words: readonly string[]) =>
    steps.push({ do: "run", why, argv: ["ufw", ...words], env: { LC_ALL: "C" } });
  if (given.state === "reset") run("empty the firewall", "--force", "reset");
  if (given.default !== undefined && !hasDefault(given, state)) {
    run(`${given.default} by default`, "default", given.default, given.direction ?? "incoming");
  }
  if (given.logging !== undefined && !hasLogging(given, state))
    run("set the logging", "logging", given.logging);
  if (given.rule !== undefined) {
    if (state.dryRunCode !== 0)
      return { steps: [], diffs: [], fail: `ufw refuses the rule: ${state.dryRun.join("\n")}` };
    if (!isRuleThere(state)) run(`${given.delete ? "remove" : "add"} a rule`, ...ruleWords(given));
  }
  if (given.state === "enabled" && !isActive(state)) run("switch the firewall on", "--force", "enable");
  if (given.state === "disabled" && isActive(state)) run("switch the firewall off", "disable");
  if (given.state === "reloaded" && isActive(state)) run("reload the firewall", "reload");
  return { steps, diffs: [] };
}

export default defineModule({
  kind: "host",
  name: "ufw",
  summary: "Sets up the firewall ufw: rules, defaults, on and off.",
  args,
  example:
    "- name: the console is for the office\n  ufw: {rule: allow, to_port: '8080', proto: tcp, from_ip: 10.1.0.0/16}\n",
  reads: "host",
  ask,
  read,
  plan,
  result: (_state, outcome, given) => ({
    commands: outcome.steps.flatMap(({ step }) => (step.do === "run" ? [step.argv.join(" ")] : [])),
    ...(given.rule === undefined ? {} : { rule: ruleWords(given).join(" ") }),
  }),
});
