import type { z } from "zod";
import type { JsonObject } from "../../base/json.ts";
import type { Answers, PackageAnswer, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, linesOf, outcomeOutput, textOf } from "./answers.ts";
import { aptGet, aptStep, holderOf, listsSh, simulated, simulateSh, updateStep } from "./apt-command.ts";
import { type DebKnown, debQuestions, planDeb, readDeb } from "./apt-deb.ts";
import { choice, defineArgs, flag, list, path, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Diff, ModuleContext, Outcome, Plan } from "./module.ts";

const args = defineArgs(
  {
    name: list("Packages: name, name=version, name/release, patterns with *.", {
      aliases: ["package", "pkg"],
    }),
    state: choice(["present", "absent", "latest", "build-dep", "fixed", "installed", "removed"])(
      "present: installed; latest: the newest of the lists; build-dep: what building needs; fixed: broken dependencies mended.",
      { default: "present" },
    ),
    deb: path("A .deb file of the host, or the address of one, installed with what it depends on."),
    update_cache: flag("Fetch the package lists first.", { aliases: ["update-cache"] }),
    cache_valid_time: whole(
      "Seconds for which package lists count as fresh; more than 0 implies update_cache.",
      {
        default: 0,
      },
    ),
    update_cache_retries: whole("How often to try to fetch the lists.", { default: 5 }),
    update_cache_retry_max_delay: whole("Most seconds between two tries.", { default: 12 }),
    upgrade: choice(["no", "yes", "safe", "full", "dist"])(
      "Upgrade all packages; full and dist may remove some.",
      {
        default: "no",
      },
    ),
    purge: flag("With absent: remove the configuration too.", { default: false }),
    autoremove: flag("Remove packages that nothing needs any more.", { default: false }),
    autoclean: flag("Remove downloaded packages that the lists no longer offer.", { default: false }),
    clean: flag("Remove all downloaded packages.", { default: false }),
    default_release: text("Release to take packages from.", { aliases: ["default-release"] }),
    install_recommends: flag("Install what packages recommend. Default: as the host is set up.", {
      aliases: ["install-recommends"],
    }),
    force: flag("Unauthenticated, downgraded, held, essential: everything is allowed.", { default: false }),
    allow_unauthenticated: flag("Accept packages without a valid signature.", {
      default: false,
      aliases: ["allow-unauthenticated"],
    }),
    allow_downgrade: flag("Accept an older version than the installed one.", {
      default: false,
      aliases: ["allow-downgrade", "allow_downgrades", "allow-downgrades"],
    }),
    allow_change_held_packages: flag("Change packages on hold.", { default: false }),
    dpkg_options: text("Options for dpkg, with commas.", { default: "force-confdef,force-confold" }),
    only_upgrade: flag("Only upgrade what is installed.", { default: false }),
    fail_on_autoremove: flag("Fail when something would be removed.", { default: false }),
    force_apt_get: flag("Of Ansible; apt-get is what is always used.", { default: false }),
    lock_timeout: whole("Seconds to wait while another program holds dpkg's lock.", { default: 60 }),
    policy_rc_d: whole("Exit code of policy-rc.d meanwhile; 101 keeps services from starting."),
  },
  { exclusive: [["deb", "name"]] },
);
export type AptArgs = z.infer<typeof args>;

interface AptState {
  readonly lists: number;
  readonly fetchedAt: number;
  readonly packages: readonly PackageAnswer[];
  /** Lines of apt-get -s, where the package database alone does not tell. */
  readonly simulation: readonly string[];
  /** "1 upgraded, 0 newly installed, …" */
  readonly summary: string | undefined;
  /** Why apt-get would not do it. */
  readonly refusals: readonly string[];
  readonly configFiles: readonly string[];
  readonly archives: number;
  /** Virtual packages that installed ones stand for. */
  readonly provided: ReadonlySet<string>;
  readonly deb: DebKnown | undefined;
  /** Who holds dpkg's lock or apt's. */
  readonly holder: string | undefined;
}

/** Names that dpkg's database answers by itself; all others are given to apt-get -s. */
const isPlain = (name: string): boolean => /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(=[^*\s]+)?$/.test(name);
const plainName = (name: string): string => name.replace(/=.*/, "");
const plainVersion = (name: string): string | undefined => /=(.*)$/.exec(name)?.[1];

type Goal = "present" | "absent" | "latest" | "build-dep" | "fixed";
const goalOf = ({ state }: AptArgs): Goal =>
  state === "installed" ? "present" : state === "removed" ? "absent" : state;
const namesOf = (args: AptArgs): readonly string[] => (args.name ?? []).filter((name) => name !== "");

function needsSimulation(args: AptArgs): boolean {
  const goal = goalOf(args);
  if (namesOf(args).length === 0) return goal === "fixed";
  if (goal === "build-dep" || goal === "fixed" || args.only_upgrade) return true;
  return !namesOf(args).every(isPlain) || (goal === "latest" && args.default_release !== undefined);
}

const upgradeVerbs: Readonly<Record<AptArgs["upgrade"], readonly string[] | undefined>> = {
  no: undefined,
  yes: ["upgrade", "--with-new-pkgs"],
  safe: ["upgrade", "--with-new-pkgs"],
  full: ["dist-upgrade"],
  dist: ["dist-upgrade"],
};

/** The command that brings about what the task names, or undefined when it names nothing of the kind. */
function mainCommand(args: AptArgs): readonly string[] | undefined {
  const names = namesOf(args);
  const goal = goalOf(args);
  const upgrade = upgradeVerbs[args.upgrade];
  if (upgrade !== undefined && names.length === 0) return aptGet(upgrade, [], args);
  if (goal === "fixed") return aptGet(["install", "--fix-broken"], names, args);
  if (names.length === 0)
    return args.autoremove ? aptGet(["autoremove"], [], { ...args, autoremove: false }) : undefined;
  const verbs = {
    present: "install",
    latest: "install",
    absent: "remove",
    "build-dep": "build-dep",
  } as const;
  return aptGet([verbs[goal]], names, args);
}

const simulates = (args: AptArgs): boolean =>
  needsSimulation(args) || (namesOf(args).length === 0 && mainCommand(args) !== undefined);

const configFilesSh = `dpkg-query -W -f='\${db:Status-Status} \${Package}\\n' "$@" 2>/dev/null | sed -n 's/^config-files //p'`;
/** The same for every task, so that one message asks it once. */
const providesSh = `dpkg-query -W -f='\${db:Status-Status} \${Provides}\\n' 2>/dev/null |
sed -n 's/^installed \\(.\\)/\\1/p' | tr ',' '\\n' | sed 's/^ *//; s/[ :].*//' | sort -u`;

/** How many downloaded packages there are, and how many of them autoclean would remove. */
const archivesSh =
  'n=0; for f in /var/cache/apt/archives/*.deb; do [ -e "$f" ] && n=$((n+1)); done; echo "$n"';
const oldArchivesSh = "apt-get -s -o Debug::NoLocking=true autoclean 2>/dev/null | grep -c '^Del'; exit 0";

function ask(args: AptArgs, context: ModuleContext): readonly Question[] {
  const command = mainCommand(args);
  const simulate: Question[] =
    simulates(args) && command !== undefined
      ? [{ of: "script", sh: simulateSh, args: simulated(command) }]
      : [{ of: "script", sh: ":", args: [] }];
  const candidate = goalOf(args) === "latest" ? ({ wantCandidate: true } as const) : {};
  const purges = args.purge && goalOf(args) === "absent";
  return [
    { of: "script", sh: listsSh, args: [] },
    ...simulate,
    { of: "script", sh: purges ? configFilesSh : ":", args: purges ? namesOf(args).map(plainName) : [] },
    { of: "script", sh: args.clean ? archivesSh : args.autoclean ? oldArchivesSh : "echo 0", args: [] },
    { of: "script", sh: goalOf(args) === "absent" ? ":" : providesSh, args: [] },
    ...debQuestions(args, context),
    ...namesOf(args)
      .filter(isPlain)
      .map((name): Question => ({ of: "package", name: plainName(name), ...candidate })),
  ];
}

const isRefusal = (line: string): boolean => line.startsWith("E: ");

function read(answers: Answers, args: AptArgs): AptState {
  const output = (index: number) => linesOf(textOf(answerTo(answers, index, "script").stdout));
  const [lists = "0", fetchedAt = "0"] = output(0).filter((line) => /^\d+$/.test(line));
  return {
    holder: holderOf(output(0)),
    lists: Number(lists),
    fetchedAt: Number(fetchedAt),
    simulation: output(1).filter((line) => /^[A-Z]/.test(line) && !isRefusal(line)),
    summary: output(1).find((line) => /^\d/.test(line)),
    refusals: output(1).filter(isRefusal),
    configFiles: output(2),
    archives: Number(output(3)[0] ?? "0"),
    provided: new Set(output(4)),
    deb: args.deb === undefined ? undefined : readDeb(answers[5]),
    packages: namesOf(args)
      .filter(isPlain)
      .map((_, index) => answerTo(answers, 5 + index, "package")),
  };
}

interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Which of the plain names are not as wanted. */
function changesOf(args: AptArgs, state: AptState): readonly Change[] {
  if (simulates(args)) return simulatedChanges(state);
  return namesOf(args).flatMap((given, index): Change[] => {
    const known = state.packages[index];
    const name = plainName(given);
    const isProvided = known?.installed === false && state.provided.has(name) && goalOf(args) !== "absent";
    const change = known && !isProvided ? changeOf(args, given, known) : undefined;
    if (change !== undefined) return [change];
    return state.configFiles.includes(name) ? [{ name, before: "(configuration)", after: "" }] : [];
  });
}

function changeOf(args: AptArgs, given: string, known: PackageAnswer): Change | undefined {
  const name = plainName(given);
  const before = known.installed ? (known.version ?? "installed") : "";
  const goal = goalOf(args);
  if (goal === "absent") return known.installed ? { name, before, after: "" } : undefined;
  const wanted = plainVersion(given);
  if (!known.installed) return { name, before, after: wanted ?? known.candidate ?? "newest" };
  if (wanted !== undefined) return wanted === known.version ? undefined : { name, before, after: wanted };
  const isHeld = known.held === true && !args.allow_change_held_packages;
  if (goal !== "latest" || isHeld || known.candidate === undefined) return undefined;
  return known.candidate === known.version ? undefined : { name, before, after: known.candidate };
}

const simulatedChanges = (state: AptState): readonly Change[] =>
  state.simulation.map((line) => {
    const [, verb = "", name = "", old = "", fresh = ""] =
      /^(\w+) (\S+)(?: \[([^\]]*)\])?(?: \((\S+))?/.exec(line) ?? [];
    return { name, before: old, after: verb === "Inst" ? fresh : "" };
  });

function diffOf(changes: readonly Change[]): readonly Diff[] {
  const side = (pick: (change: Change) => string) =>
    changes.map((change) => (pick(change) === "" ? "" : `${change.name} ${pick(change)}\n`)).join("");
  if (changes.length === 0) return [];
  return [{ path: "packages", before: side(({ before }) => before), after: side(({ after }) => after) }];
}

/** Between two looks at who holds the lock. */
const lockWaitMs = 1000;

const nothing: Plan = { steps: [], diffs: [] };

function isStale(args: AptArgs, state: AptState, context: ModuleContext): boolean {
  const wants = args.update_cache ?? args.cache_valid_time > 0;
  if (!wants || context.round > 0) return false;
  return state.lists === 0 || state.fetchedAt + args.cache_valid_time <= context.now / 1000;
}

/** What another program is doing to the packages is waited for, and what was learnt before it is asked once more. */
function plan(args: AptArgs, state: AptState, context: ModuleContext): Plan {
  const wanted = planFree(args, state, context);
  if (state.holder === undefined || wanted.steps.length === 0 || context.check) return wanted;
  const waitsFor = `the lock of the package manager, which ${state.holder} holds`;
  if (context.elapsedMs < args.lock_timeout * 1000)
    return {
      ...nothing,
      again: true,
      waitMs: lockWaitMs,
      waitsFor: `${waitsFor}, ${args.lock_timeout} s at most`,
    };
  return { ...nothing, fail: `waited ${args.lock_timeout} s for ${waitsFor}: lock_timeout says how long` };
}

function planFree(args: AptArgs, state: AptState, context: ModuleContext): Plan {
  const refresh = isStale(args, state, context) && !context.check ? [updateStep(args)] : [];
  const hasMore = mainCommand(args) !== undefined || args.deb !== undefined;
  if (!hasMore && refresh.length > 0) return { steps: [...refresh, ...cleaning(args, state)], diffs: [] };
  // What is the newest version, and what a pattern means, is known only from fresh lists.
  const askAgain = refresh.length > 0 && (simulates(args) || goalOf(args) === "latest");
  if (askAgain) return { steps: refresh, diffs: [], unchanged: true, again: true };
  if (state.deb?.known === "nothing") return { steps: refresh, diffs: [], unchanged: true, again: true };
  const rest = state.deb === undefined ? planNames(args, state, context) : planDeb(args, state.deb, context);
  if (rest.fail !== undefined || rest.again === true) return rest;
  const steps = [...rest.steps, ...cleaning(args, state)];
  if (steps.length === 0) return { steps: refresh, diffs: [], unchanged: true };
  return { steps: [...refresh, ...steps], diffs: rest.diffs };
}

function planNames(args: AptArgs, state: AptState, context: ModuleContext): Plan {
  // What there is not need not go.
  if (state.refusals.length > 0 && goalOf(args) !== "absent") return planRefused(args, state, context);
  const changes = changesOf(args, state);
  if (changes.length === 0 && state.configFiles.length === 0) return nothing;
  const refreshes = isStale(args, state, context);
  const unknown = changes.find(({ after }) => after === "newest");
  if (unknown !== undefined && state.lists === 0 && !refreshes && goalOf(args) !== "absent") {
    const fail = `package "${unknown.name}" is unknown, and this host has no package lists: add update_cache: true to the task`;
    return { ...nothing, fail };
  }
  const command = mainCommand(args);
  if (command === undefined) return nothing;
  return { steps: [aptStep(whyOf(args, changes), command, args)], diffs: diffOf(changes) };
}

/** Lists that would be fetched first may know more: only check mode cannot tell. */
function planRefused(args: AptArgs, state: AptState, context: ModuleContext): Plan {
  const command = mainCommand(args);
  if (context.check && isStale(args, state, context) && command !== undefined) {
    return { steps: [aptStep(`install ${namesOf(args).join(", ")}`, command, args)], diffs: [] };
  }
  return { ...nothing, fail: `apt-get refuses: ${state.refusals.map((line) => line.slice(3)).join("; ")}` };
}

function whyOf(args: AptArgs, changes: readonly Change[]): string {
  const verb = goalOf(args) === "absent" ? "remove" : args.upgrade === "no" ? "install" : "upgrade";
  const names = changes.map(({ name }) => name);
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${verb} ${shown} and ${names.length - 5} more` : `${verb} ${shown}`;
}

function cleaning(args: AptArgs, state: AptState): readonly Step[] {
  if (state.archives === 0) return [];
  return [
    ...(args.clean ? [aptStep("remove downloaded packages", ["apt-get", "clean"], args)] : []),
    ...(args.autoclean
      ? [aptStep("remove old downloaded packages", ["apt-get", "-y", "autoclean"], args)]
      : []),
  ];
}

/** What apt-get said; where it had nothing to do, what it said of that. */
function outputOf(args: AptArgs, { summary }: AptState, outcome: Outcome): JsonObject {
  const ran = outcomeOutput(outcome);
  const none = args.deb !== undefined ? "" : summary === undefined ? undefined : `${summary}\n`;
  const stdout = outcome.steps.length === 0 ? none : ran.stdout;
  if (stdout === undefined) return {};
  return {
    stdout,
    stdout_lines: linesOf(stdout),
    stderr: ran.stderr,
    stderr_lines: linesOf(ran.stderr),
  };
}

export default defineModule({
  kind: "host",
  name: "apt",
  summary: "Installs, upgrades and removes Debian packages.",
  args,
  example:
    "- name: ZooKeeper and its service\n  apt:\n    name: [zookeeper, zookeeperd]\n    update_cache: true\n    cache_valid_time: 3600\n",
  reads: "host",
  ask,
  read,
  plan,
  result(state, outcome, args) {
    const updated = outcome.steps.some(({ step }) => step.why === "update the package lists");
    return {
      cache_updated: updated,
      cache_update_time: state.fetchedAt,
      ...outputOf(args, state, outcome),
    };
  },
});
