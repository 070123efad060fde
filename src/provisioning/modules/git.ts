import type { z } from "zod";
import type { Answers } from "../host/question.ts";
import type { Env, Step } from "../host/step.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { defineArgs, flag, path, refused, text, whole } from "./arguments.ts";
import { makeFolder } from "./copy-file.ts";
import { defineModule } from "./define-module.ts";
import { folderOf, hostPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";

const args = defineArgs(
  {
    repo: text("The repository.", { required: true, aliases: ["name"] }),
    dest: path("Where the checkout lies.", { required: true }),
    version: text("A branch, a tag, a commit, or HEAD.", { default: "HEAD" }),
    remote: text("What the repository is called in the checkout.", { default: "origin" }),
    refspec: text("What else to fetch."),
    clone: flag("Clone when there is nothing yet.", { default: true }),
    update: flag("Fetch what is new.", { default: true }),
    force: flag("Throw away what was changed in the checkout.", { default: false }),
    depth: whole("Only so many commits of history."),
    single_branch: flag("Only the history of version.", { default: false }),
    bare: flag("No checkout, only the repository.", { default: false }),
    recursive: flag("Submodules too.", { default: true }),
    track_submodules: flag("Submodules follow their branches.", { default: false }),
    reference: path("A repository of the host to borrow objects from."),
    verify_commit: flag("The commit must have a good signature.", { default: false }),
    accept_hostkey: flag("Accept any host key.", { default: false }),
    accept_newhostkey: flag("Accept the key of a host that is not known yet.", { default: false }),
    key_file: path("Private key to log in with."),
    ssh_opts: text("More options for ssh."),
    executable: path("The git to use.", { default: "git" }),
    archive: refused("is not made here: command: git -C DEST archive --output FILE VERSION"),
    archive_prefix: refused("belongs to archive, which is not made here"),
    separate_git_dir: refused("is not possible: the repository lies in dest"),
    gpg_whitelist: refused("is not possible: verify_commit trusts the keys that the host's gpg trusts"),
    umask: text("umask of the checkout, in octal digits."),
  },
  {
    exclusive: [],
    check: (args) =>
      args.accept_hostkey && args.accept_newhostkey
        ? "only one of accept_hostkey, accept_newhostkey may be given"
        : undefined,
  },
);
type GitArgs = z.infer<typeof args>;

/**
 * An http address with a password in it would stand in git's argv and in the checkout's configuration. So git gets the
 * address without it, and the password as a header for that server, by the variable that its children read too.
 */
function repoOf(given: GitArgs): { readonly address: string; readonly config: string } {
  // As a path, a repository of the host would be cloned by links, and depth would mean nothing.
  if (given.repo.startsWith("/")) return { address: `file://${given.repo}`, config: "" };
  const url = /^https?:\/\//.test(given.repo) ? URL.parse(given.repo) : null;
  if (url === null || url.password === "") return { address: given.repo, config: "" };
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const header = `Authorization: Basic ${Buffer.from(credentials).toString("base64")}`;
  const address = given.repo.replace(/^(https?:\/\/)[^/@]*@/, "$1");
  return { address, config: `'http.${url.protocol}//${url.host}/.extraHeader=${header}'` };
}

/** Prints head, address, dirty and exists of the checkout $2, then what the repository $3 offers. Code 7: no git. */
const lookSh = `g=$1 d=$2 r=$3 o=$4 b=$5; export GIT_TERMINAL_PROMPT=0
[ -z "$6" ] || export GIT_SSH_COMMAND="$6"
[ -z "$7" ] || export GIT_CONFIG_PARAMETERS="$7"
command -v "$g" >/dev/null || exit 7
if [ -n "$b" ]; then i=$d; else i=$d/.git; fi
if [ -e "$i" ]; then echo exists
  echo "head $("$g" -C "$d" rev-parse -q --verify HEAD 2>/dev/null)"
  echo "url $("$g" -C "$d" config --get "remote.$o.url")"
  echo "branch $("$g" -C "$d" symbolic-ref -q --short HEAD)"
  [ -n "$b" ] || [ -z "$("$g" -C "$d" status --porcelain --untracked-files=no)" ] || echo dirty
elif [ -e "$d" ] && [ -n "$(ls -A -- "$d" 2>/dev/null)" ]; then echo occupied; fi
echo refs; "$g" ls-remote -- "$r"`;

interface GitState {
  readonly hasGit: boolean;
  readonly isThere: boolean;
  readonly isOccupied: boolean;
  readonly head: string;
  readonly url: string;
  readonly isDirty: boolean;
  /** Name → commit; undefined when the repository does not answer. */
  readonly refs: ReadonlyMap<string, string> | undefined;
  readonly problem: string;
}

function read(answers: Answers): GitState {
  const answer = answerTo(answers, 0, "script");
  const lines = linesOf(textOf(answer.stdout));
  const mark = lines.indexOf("refs");
  const own = lines.slice(0, mark);
  const value = (name: string) =>
    own.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? "";
  const refs = lines.slice(mark + 1).map((line) => line.split("\t").reverse() as [string, string]);
  return {
    hasGit: answer.code !== 7,
    isThere: own.includes("exists"),
    isOccupied: own.includes("occupied"),
    head: value("head"),
    url: value("url"),
    isDirty: own.includes("dirty"),
    refs: answer.code === 0 ? new Map(refs) : undefined,
    problem: textOf(answer.stderr).trim(),
  };
}

/** Whole, or as much of it as is unique. */
const isCommit = (version: string): boolean => /^[0-9a-f]{7,40}$/.test(version);

/** refs/tags/v1, refs/heads/main and origin/main are v1 and main. */
const plainName = ({ version, remote }: GitArgs): string => {
  const prefix = ["refs/heads/", "refs/tags/", `${remote}/`].find((start) => version.startsWith(start));
  return version.slice(prefix?.length ?? 0);
};

interface Target {
  readonly commit: string;
  readonly branch?: string;
}

function targetOf(given: GitArgs, refs: ReadonlyMap<string, string>): Target | undefined {
  const { version } = given;
  if (version === "HEAD") {
    const commit = refs.get("HEAD");
    const branch = [...refs].find(([name, id]) => id === commit && name.startsWith("refs/heads/"))?.[0];
    return commit === undefined
      ? undefined
      : { commit, ...(branch === undefined ? {} : { branch: branch.slice(11) }) };
  }
  const found = refs.has(`refs/heads/${version}`) || refs.has(`refs/tags/${version}`);
  const name = found ? version : plainName(given);
  const head = refs.get(`refs/heads/${name}`);
  if (head !== undefined) return { commit: head, branch: name };
  const commit = refs.get(`refs/tags/${name}^{}`) ?? refs.get(`refs/tags/${name}`) ?? refs.get(version);
  if (commit !== undefined) return { commit };
  return isCommit(version) ? { commit: version } : undefined;
}

function sshCommand(given: GitArgs, context: ModuleContext): string {
  const options = [
    ...(given.key_file === undefined
      ? []
      : ["-i", `'${hostPath(given.key_file, context)}'`, "-o", "IdentitiesOnly=yes"]),
    ...(given.accept_hostkey ? ["-o", "StrictHostKeyChecking=no"] : []),
    ...(given.accept_newhostkey ? ["-o", "StrictHostKeyChecking=accept-new"] : []),
    ...(given.ssh_opts === undefined ? [] : [given.ssh_opts]),
  ];
  return options.length === 0 ? "" : `ssh -o BatchMode=yes ${options.join(" ")}`;
}

function plan(given: GitArgs, state: GitState, context: ModuleContext): Plan {
  const refuse = (fail: string): Plan => ({ steps: [], diffs: [], fail });
  const dest = hostPath(given.dest, context);
  if (!state.hasGit)
    return refuse(
      given.executable === "git"
        ? "there is no git on the host: install the package git"
        : `there is no program "${given.executable}" on the host`,
    );
  if (state.isOccupied) return refuse(`"${dest}" holds something, but no checkout`);
  if (state.isThere && !given.update) return { steps: [], diffs: [] };
  if (!state.isThere && !given.clone) return { steps: [], diffs: [] };
  if (state.refs === undefined) return refuse(`"${repoOf(given).address}" does not answer: ${state.problem}`);
  const target = targetOf(given, state.refs);
  if (target === undefined)
    return refuse(`"${repoOf(given).address}" has no branch, tag or commit "${given.version}"`);
  const isRight =
    state.isThere && state.head.startsWith(target.commit) && state.url === repoOf(given).address;
  if (state.isDirty && !given.force) {
    return refuse(`"${dest}" has local changes (force: true throws them away)`);
  }
  if (isRight && !state.isDirty) return { steps: [], diffs: [] };
  const steps = state.isThere
    ? updateSteps(given, state, target, context)
    : cloneSteps(given, target, context);
  return {
    steps,
    diffs: [{ path: dest, before: state.head === "" ? "" : `${state.head}\n`, after: `${target.commit}\n` }],
  };
}

/** One git command after the other, with what they share: environment, umask. */
function runner(given: GitArgs, context: ModuleContext) {
  const ssh = sshCommand(given, context);
  const { config } = repoOf(given);
  const env: Env = {
    GIT_TERMINAL_PROMPT: "0",
    ...(ssh === "" ? {} : { GIT_SSH_COMMAND: ssh }),
    ...(config === "" ? {} : { GIT_CONFIG_PARAMETERS: config }),
  };
  return (why: string, ...words: readonly string[]): Step => ({
    do: "run",
    why,
    argv: [given.executable, ...words],
    env,
    ...(given.umask === undefined ? {} : { umask: given.umask }),
  });
}

function cloneSteps(given: GitArgs, target: Target, context: ModuleContext): readonly Step[] {
  const run = runner(given, context);
  const dest = hostPath(given.dest, context);
  const byCommit = isCommit(target.commit) && target.commit === given.version;
  const named = byCommit || given.version === "HEAD" ? [] : ["--branch", target.branch ?? plainName(given)];
  const shallow = given.depth !== undefined && !byCommit ? ["--depth", String(given.depth)] : [];
  const flags = [
    ...(given.bare ? ["--bare"] : ["--origin", given.remote]),
    ...named,
    ...shallow,
    ...(given.single_branch ? ["--single-branch"] : []),
    ...(given.reference === undefined ? [] : ["--reference", hostPath(given.reference, context)]),
  ];
  return [
    makeFolder(folderOf(dest)),
    run(`clone ${repoOf(given).address}`, "clone", ...flags, "--", repoOf(given).address, dest),
    ...(given.bare
      ? [run("name the remote", "-C", dest, "config", `remote.${given.remote}.url`, repoOf(given).address)]
      : []),
    ...(byCommit && !given.bare
      ? [run(`check out ${given.version}`, "-C", dest, "checkout", "--force", target.commit)]
      : []),
    ...afterSteps(given, context),
  ];
}

function updateSteps(
  given: GitArgs,
  state: GitState,
  target: Target,
  context: ModuleContext,
): readonly Step[] {
  const run = runner(given, context);
  const dest = hostPath(given.dest, context);
  const readdress =
    state.url === repoOf(given).address
      ? []
      : [run("set the address", "-C", dest, "config", `remote.${given.remote}.url`, repoOf(given).address)];
  const depth = given.depth === undefined ? [] : ["--depth", String(given.depth)];
  const specs = [
    ...(given.bare ? ["+refs/heads/*:refs/heads/*"] : [`+refs/heads/*:refs/remotes/${given.remote}/*`]),
    ...(given.refspec === undefined ? [] : [given.refspec]),
  ];
  const fetch = run(
    `fetch ${repoOf(given).address}`,
    "-C",
    dest,
    "fetch",
    "--tags",
    "--force",
    ...depth,
    given.remote,
    ...specs,
  );
  if (given.bare) return [...readdress, fetch];
  const checkout =
    target.branch === undefined
      ? ["checkout", "--force", target.commit, "--"]
      : ["checkout", "--force", "-B", target.branch, target.commit, "--"];
  return [
    ...readdress,
    fetch,
    run(`check out ${given.version}`, "-C", dest, ...checkout),
    run("throw away local changes", "-C", dest, "reset", "--hard", target.commit, "--"),
    ...afterSteps(given, context),
  ];
}

function afterSteps(given: GitArgs, context: ModuleContext): readonly Step[] {
  if (given.bare) return [];
  const run = runner(given, context);
  const dest = hostPath(given.dest, context);
  const track = given.track_submodules ? ["--remote"] : [];
  return [
    ...(given.recursive
      ? [run("update submodules", "-C", dest, "submodule", "update", "--init", "--recursive", ...track)]
      : []),
    ...(given.verify_commit ? [run("check the signature", "-C", dest, "verify-commit", "HEAD")] : []),
  ];
}

export default defineModule({
  kind: "host",
  name: "git",
  summary: "Checks out a repository, and keeps it at a version.",
  args,
  example:
    "- name: our own tools\n  git: {repo: 'https://git.example.com/tools.git', dest: /opt/tools, version: v1.4}\n",
  reads: "world",
  ask: (given, context) => [
    {
      of: "script",
      sh: lookSh,
      args: [
        given.executable,
        hostPath(given.dest, context),
        repoOf(given).address,
        given.remote,
        given.bare ? "bare" : "",
        sshCommand(given, context),
        repoOf(given).config,
      ],
    },
  ],
  read,
  plan,
  result(state, _outcome, given) {
    const target = state.refs && targetOf(given, state.refs);
    return {
      before: state.head === "" ? null : state.head,
      after: given.update || !state.isThere ? (target?.commit ?? null) : state.head,
      remote_url_changed: state.isThere && state.url !== repoOf(given).address,
    };
  },
});
