import type { z } from "zod";
import type { Answers, Question } from "../host/question.ts";
import { answerTo, linesOf, outcomeOutput, outputResult, textOf } from "./answers.ts";
import { choice, defineArgs, flag, list, path, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const args = defineArgs({
  name: list("Packages, groups (@name), files; `*` with latest: all.", { aliases: ["pkg"], default: [] }),
  state: choice(["present", "installed", "latest", "absent", "removed"])(
    "Installed, the newest, or not there. Default: present, absent with autoremove.",
  ),
  enablerepo: list("Repositories to use besides.", { default: [] }),
  disablerepo: list("Repositories not to use.", { default: [] }),
  exclude: list("Packages to leave out.", { default: [] }),
  update_cache: flag("Fetch the repositories' data first.", { default: false, aliases: ["expire-cache"] }),
  cacheonly: flag("Do not fetch the repositories' data.", { default: false }),
  update_only: flag("With latest: only what is installed.", { default: false }),
  security: flag("With latest: only for security.", { default: false }),
  bugfix: flag("With latest: only for bugs.", { default: false }),
  autoremove: flag("Remove packages that nothing needs any more.", { default: false }),
  allow_downgrade: flag("Accept an older version than the installed one.", { default: false }),
  allowerasing: flag("Allow to remove what is in the way.", { default: false }),
  nobest: flag("Allow other versions than the best.", { default: false }),
  skip_broken: flag("Leave out what cannot be installed.", { default: false }),
  disable_gpg_check: flag("Accept packages without a valid signature.", { default: false }),
  sslverify: flag("Check the repositories' certificates.", { default: true }),
  install_weak_deps: flag("Install what packages recommend.", { default: true }),
  installroot: path("Root of the system to work on.", { default: "/" }),
  releasever: text("Release to take packages from."),
  conf_file: path("Configuration of dnf."),
  download_only: flag("Only fetch the packages.", { default: false }),
  download_dir: path("Where fetched packages go."),
  lock_timeout: whole("Of Ansible; dnf waits for its lock by itself.", { default: 30 }),
});
type DnfArgs = z.infer<typeof args>;

/** Exit code of `rpm -q --whatprovides` for each name, then what dnf would upgrade. */
const installedSh = 'for n do rpm -q --whatprovides -- "$n" >/dev/null 2>&1 && echo yes || echo no; done';

const goalOf = (args: DnfArgs): "present" | "latest" | "absent" => {
  if (args.state === "latest") return "latest";
  if (args.state === "absent" || args.state === "removed") return "absent";
  return args.state === undefined && args.autoremove ? "absent" : "present";
};

const given = (condition: boolean, ...flags: readonly string[]) => (condition ? flags : []);

const flagsOf = (args: DnfArgs): readonly string[] => [
  "-y",
  "-q",
  ...args.enablerepo.map((repo) => `--enablerepo=${repo}`),
  ...args.disablerepo.map((repo) => `--disablerepo=${repo}`),
  ...args.exclude.map((name) => `--exclude=${name}`),
  ...given(args.cacheonly, "--cacheonly"),
  ...given(args.update_cache, "--refresh"),
  ...given(args.allowerasing, "--allowerasing"),
  ...given(args.nobest, "--nobest"),
  ...given(args.skip_broken, "--skip-broken"),
  ...given(args.disable_gpg_check, "--nogpgcheck"),
  ...given(!args.sslverify, "--setopt=sslverify=0"),
  ...given(!args.install_weak_deps, "--setopt=install_weak_deps=0"),
  ...given(args.installroot !== "/", `--installroot=${args.installroot}`),
  ...given(args.releasever !== undefined, `--releasever=${args.releasever}`),
  ...given(args.conf_file !== undefined, `--config=${args.conf_file}`),
  ...given(args.download_only, "--downloadonly"),
  ...given(args.download_dir !== undefined, `--downloaddir=${args.download_dir}`),
  ...given(args.security, "--security"),
  ...given(args.bugfix, "--bugfix"),
];

/** dnf check-update: 100 means that there are upgrades. */
const ask = (args: DnfArgs): readonly Question[] => [
  { of: "script", sh: installedSh, args: args.name },
  goalOf(args) === "latest"
    ? {
        of: "script",
        sh: '"$@"',
        args: ["dnf", ...flagsOf(args), "check-update", ...args.name.filter((n) => n !== "*")],
      }
    : { of: "script", sh: ":", args: [] },
  args.autoremove
    ? { of: "script", sh: '"$@"', args: ["dnf", "-q", "repoquery", "--unneeded"] }
    : { of: "script", sh: ":", args: [] },
];

function read(answers: Answers, args: DnfArgs) {
  const installed = linesOf(textOf(answerTo(answers, 0, "script").stdout));
  return {
    missing: args.name.filter((name, index) => name !== "*" && installed[index] !== "yes"),
    hasUpgrades: answerTo(answers, 1, "script").code === 100,
    unneeded: linesOf(textOf(answerTo(answers, 2, "script").stdout)),
  };
}

function plan(args: DnfArgs, state: ReturnType<typeof read>): Plan {
  const goal = goalOf(args);
  const run = (verb: string, names: readonly string[]): Plan => ({
    steps: [
      {
        do: "run",
        why: `${verb} ${names.join(", ") || "packages"}`,
        argv: ["dnf", ...flagsOf(args), verb, ...names],
        env: { LC_ALL: "C" },
      },
    ],
    diffs: [{ path: "packages", before: "", after: `${verb} ${names.join(" ")}\n` }],
  });
  const names = args.name.filter((name) => name !== "*");
  if (args.autoremove && names.length === 0) {
    return state.unneeded.length === 0 ? { steps: [], diffs: [] } : run("autoremove", []);
  }
  if (goal === "absent") {
    const there = names.filter((name) => !state.missing.includes(name));
    if (there.length === 0) return { steps: [], diffs: [] };
    return run(args.autoremove ? "autoremove" : "remove", there);
  }
  const missing = args.update_only ? [] : state.missing;
  if (missing.length === 0 && !state.hasUpgrades) return { steps: [], diffs: [] };
  if (goal === "present") return run("install", missing);
  if (missing.length === 0) return run("upgrade", names);
  const install = run("install", missing);
  return state.hasUpgrades
    ? { ...install, steps: [...install.steps, ...run("upgrade", names).steps] }
    : install;
}

export default defineModule({
  kind: "host",
  name: "dnf",
  summary: "Installs, upgrades and removes packages where dnf is the host's package manager.",
  args,
  example: "- name: the proxy\n  dnf: {name: haproxy, state: present}\n",
  reads: "host",
  ask,
  read,
  plan,
  result: (_state, outcome) => ({ results: [], ...outputResult(outcomeOutput(outcome)) }),
});
