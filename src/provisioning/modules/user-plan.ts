/** What useradd, usermod, chpasswd, chage and ssh-keygen must do for a user. */
import type { UserAnswer } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { bytesOf } from "./answers.ts";
import type { Plan } from "./module.ts";

export interface UserArgs {
  readonly name: string;
  readonly state: "present" | "absent";
  readonly uid?: number | undefined;
  readonly non_unique: boolean;
  readonly group?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly append: boolean;
  readonly comment?: string | undefined;
  readonly home?: string | undefined;
  readonly create_home: boolean;
  readonly move_home: boolean;
  readonly skeleton?: string | undefined;
  readonly shell?: string | undefined;
  readonly password?: string | undefined;
  readonly update_password: "always" | "on_create";
  readonly password_lock?: boolean | undefined;
  readonly password_expire_max?: number | undefined;
  readonly password_expire_min?: number | undefined;
  readonly password_expire_warn?: number | undefined;
  readonly expires?: number | undefined;
  readonly system: boolean;
  readonly umask?: string | undefined;
  readonly force: boolean;
  readonly remove: boolean;
  readonly generate_ssh_key: boolean;
  readonly ssh_key_type: string;
  readonly ssh_key_bits?: number | undefined;
  readonly ssh_key_file?: string | undefined;
  readonly ssh_key_comment?: string | undefined;
  readonly ssh_key_passphrase?: string | undefined;
}

export const keyFileOf = (args: UserArgs): string => args.ssh_key_file ?? `.ssh/id_${args.ssh_key_type}`;

export interface UserState {
  readonly user: UserAnswer;
  /** Fields of the shadow line, when it may be read. */
  readonly shadow: readonly string[] | undefined;
  /** There is a group of the user's name. */
  readonly hasOwnGroup: boolean;
  /** The name of the group that the task gives by name or number; empty when there is none. */
  readonly groupName: string;
  readonly hasHome: boolean;
  readonly hasKey: boolean;
  readonly publicKey: string;
  /** As `ssh-keygen -l` shows it; empty when there is no key. */
  readonly fingerprint: string;
  readonly host: string;
  /** Of the groups that the task names, those that the host does not know. */
  readonly unknownGroups: readonly string[];
}

const run = (why: string, argv: readonly string[]): Step => ({ do: "run", why, argv });

export function planUser(args: UserArgs, state: UserState): Plan {
  const { name } = args;
  if (args.state === "absent") {
    const flags = [...(args.force ? ["-f"] : []), ...(args.remove ? ["-r"] : [])];
    const steps = state.user.exists ? [run(`remove the user ${name}`, ["userdel", ...flags, name])] : [];
    return { steps, diffs: [] };
  }
  if (args.group !== undefined && state.groupName === "") {
    return { steps: [], diffs: [], fail: `there is no group "${args.group}" on the host` };
  }
  if (state.unknownGroups.length > 0) {
    const names = state.unknownGroups.map((group) => `"${group}"`).join(", ");
    return { steps: [], diffs: [], fail: `there is no group ${names} on the host` };
  }
  const main = state.user.exists ? modify(args, state) : create(args, state);
  const steps = [
    ...main,
    ...passwordSteps(args, state),
    ...agingSteps(args, state),
    ...keySteps(args, state),
    ...(main.length === 0 ? [] : [lookUp(name)]),
  ];
  return { steps, diffs: diffsOf(args, state) };
}

/** getent takes a name of digits for a number. */
const lookUp = (name: string): Step =>
  run(`look up the user ${name}`, ["awk", "-F:", "-v", `name=${name}`, "$1 == name", "/etc/passwd"]);

const expiryDate = (seconds: number): string =>
  seconds < 0 ? "" : new Date(seconds * 1000).toISOString().slice(0, 10);

function create(args: UserArgs, state: UserState): readonly Step[] {
  const flags: string[] = [];
  const add = (flag: string, value: string | number | undefined) => {
    if (value !== undefined) flags.push(flag, String(value));
  };
  add("-u", args.uid);
  if (args.uid !== undefined && args.non_unique) flags.push("-o");
  if (args.group !== undefined) add("-g", args.group);
  else if (state.hasOwnGroup) add("-g", args.name);
  if (args.groups !== undefined && args.groups.length > 0) add("-G", args.groups.join(","));
  add("-c", args.comment);
  add("-d", args.home);
  add("-s", args.shell);
  if (args.expires !== undefined && args.expires >= 0) add("-e", expiryDate(args.expires));
  if (args.system) flags.push("-r");
  if (args.create_home) {
    flags.push("-m");
    add("-k", args.skeleton);
    if (args.umask !== undefined) add("-K", `UMASK=${args.umask}`);
  } else flags.push("-M");
  return [run(`make the user ${args.name}`, ["useradd", ...flags, args.name])];
}

/** Groups that usermod -G must name, or undefined when they are right. */
function wantedGroups(args: UserArgs, state: UserState): readonly string[] | undefined {
  if (args.groups === undefined) return undefined;
  const primary = args.group === undefined ? state.user.primaryGroup : state.groupName;
  const current = (state.user.groups ?? []).filter((name) => name !== primary);
  const wanted = args.groups.filter((name) => name !== "" && name !== primary);
  const missing = wanted.filter((name) => !current.includes(name));
  if (args.append) return missing.length === 0 ? undefined : missing;
  const extra = current.filter((name) => !wanted.includes(name));
  return missing.length === 0 && extra.length === 0 ? undefined : wanted;
}

interface Difference {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly flags: readonly string[];
}

function differences(args: UserArgs, state: UserState): readonly Difference[] {
  const { user } = state;
  const found: Difference[] = [];
  const compare = (what: string, before: unknown, after: unknown, flags: readonly string[]) => {
    if (after === undefined || String(before ?? "") === String(after)) return;
    found.push({ what, before: String(before ?? ""), after: String(after), flags });
  };
  const unique = args.non_unique ? ["-o"] : [];
  compare("uid", user.uid, args.uid, ["-u", String(args.uid), ...unique]);
  if (args.group !== undefined) {
    compare("group", user.primaryGroup, state.groupName, ["-g", args.group]);
  }
  const groups = wantedGroups(args, state);
  if (groups !== undefined) {
    const flags = args.append ? ["-a", "-G", groups.join(",")] : ["-G", groups.join(",")];
    const after = args.append ? [...(user.groups ?? []), ...groups] : groups;
    found.push({ what: "groups", before: (user.groups ?? []).join(","), after: after.join(","), flags });
  }
  compare("comment", user.gecos, args.comment, ["-c", args.comment ?? ""]);
  compare("home", user.home, args.home, ["-d", args.home ?? "", ...(args.move_home ? ["-m"] : [])]);
  compare("shell", user.shell, args.shell, ["-s", args.shell ?? ""]);
  if (args.expires !== undefined) {
    const wanted = args.expires < 0 ? "" : String(Math.floor(args.expires / 86_400));
    compare("expires", state.shadow?.[7] ?? "", wanted, ["-e", expiryDate(args.expires)]);
  }
  return found;
}

function modify(args: UserArgs, state: UserState): readonly Step[] {
  const flags = differences(args, state).flatMap((difference) => difference.flags);
  const usermod =
    flags.length === 0 ? [] : [run(`change the user ${args.name}`, ["usermod", ...flags, args.name])];
  const needsHome = args.create_home && !state.hasHome && !args.move_home;
  const home = args.home ?? state.user.home;
  if (!needsHome || home === undefined) return usermod;
  return [...usermod, homeStep(args, home)];
}

/** A home that is missing although the user is there: filled from the skeleton, then given to the user. */
const homeSh = `mkdir -p -- "$2" && { [ ! -d "$3" ] || cp -R -- "$3/." "$2/"; } &&
chown -R -h -- "$1:$(id -g -- "$1")" "$2" && chmod "$4" -- "$2"`;

function homeStep(args: UserArgs, home: string): Step {
  const bits = args.umask === undefined ? 0o755 : 0o777 & ~Number.parseInt(args.umask, 8);
  const skeleton = args.skeleton ?? "/etc/skel";
  return run(`make the home of ${args.name}`, [
    "sh",
    "-c",
    homeSh,
    "sh",
    args.name,
    home,
    skeleton,
    bits.toString(8),
  ]);
}

function passwordSteps(args: UserArgs, state: UserState): readonly Step[] {
  const { name, password } = args;
  const fresh = !state.user.exists;
  const current = state.user.passwordHash ?? state.shadow?.[1];
  const steps: Step[] = [];
  const sets = password !== undefined && (fresh || args.update_password === "always");
  const isSame = current !== undefined && (current === password || current === `!${password}`);
  if (sets && !isSame) {
    steps.push({
      do: "run",
      why: `set the password of ${name}`,
      argv: ["chpasswd", "-e"],
      stdin: bytesOf(`${name}:${password}\n`),
      secret: true,
    });
  }
  const isLocked = (steps.length > 0 ? password : current)?.startsWith("!") ?? fresh;
  if (args.password_lock === true && !isLocked)
    steps.push(run(`lock the password of ${name}`, ["usermod", "-L", name]));
  if (args.password_lock === false && isLocked && (current ?? password ?? "!").length > 1) {
    steps.push(run(`unlock the password of ${name}`, ["usermod", "-U", name]));
  }
  return steps;
}

function agingSteps(args: UserArgs, state: UserState): readonly Step[] {
  const wanted = [
    ["-M", args.password_expire_max, state.shadow?.[4]],
    ["-m", args.password_expire_min, state.shadow?.[3]],
    ["-W", args.password_expire_warn, state.shadow?.[5]],
  ] as const;
  const flags = wanted.flatMap(([flag, days, current]) =>
    days === undefined || String(days) === current ? [] : [flag, String(days)],
  );
  return flags.length === 0
    ? []
    : [run(`set how long the password of ${args.name} lasts`, ["chage", ...flags, args.name])];
}

/**
 * The key belongs to the user from the start, and its folder is the user's own. A passphrase comes by stdin, never in an
 * argv; ssh-keygen reads it there when it has no terminal to ask at, which setsid sees to.
 */
const keySh = `h=$(getent passwd "$1" | cut -d: -f6); k=$2; case $k in /*) ;; *) k=$h/$k;; esac
d=$(dirname -- "$k"); g=$(id -g -- "$1")
[ -d "$d" ] || { mkdir -p -- "$d" && chmod 700 -- "$d" && chown -- "$1:$g" "$d"; } || exit 1
n=$1; shift 2; rm -f -- "$k" "$k.pub"; s=; command -v setsid >/dev/null && s=setsid
$s ssh-keygen -q -f "$k" "$@" || exit 1
chown -- "$n:$g" "$k" "$k.pub" && cat -- "$k.pub" && ssh-keygen -l -f "$k.pub"`;

function keySteps(args: UserArgs, state: UserState): readonly Step[] {
  if (!args.generate_ssh_key || (state.hasKey && !args.force)) return [];
  const comment = args.ssh_key_comment ?? `${args.name}@${state.host}`;
  const bits = args.ssh_key_bits === undefined ? [] : ["-b", String(args.ssh_key_bits)];
  const passphrase = args.ssh_key_passphrase ?? "";
  const empty = passphrase === "" ? ["-N", ""] : [];
  const flags = ["-t", args.ssh_key_type, ...bits, "-C", comment, ...empty];
  return [
    {
      do: "run",
      why: `make an SSH key for ${args.name}`,
      argv: ["sh", "-c", keySh, "sh", args.name, keyFileOf(args), ...flags],
      ...(passphrase === "" ? {} : { stdin: bytesOf(`${passphrase}\n${passphrase}\n`), secret: true }),
    },
  ];
}

function diffsOf(args: UserArgs, state: UserState) {
  const path = `user ${args.name}`;
  if (!state.user.exists) return [{ path, before: "", after: "state: present\n" }];
  const found = differences(args, state);
  if (found.length === 0) return [];
  const lines = (side: "before" | "after") =>
    found.map((entry) => `${entry.what}: ${entry[side]}\n`).join("");
  return [{ path, before: lines("before"), after: lines("after") }];
}
