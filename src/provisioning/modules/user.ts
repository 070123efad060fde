import type { z } from "zod";
import type { Answers, Question } from "../host/question.ts";
import { answerTo, linesOf, outcomeOutput, textOf } from "./answers.ts";
import { choice, decimal, defineArgs, flag, list, path, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { keyFileOf, planUser, type UserState } from "./user-plan.ts";

const args = defineArgs(
  {
    name: text("The user.", { required: true, aliases: ["user"] }),
    state: choice(["present", "absent"])("Shall the user be there?", { default: "present" }),
    uid: whole("Number of the user."),
    non_unique: flag("Allow a number that another user has.", { default: false }),
    group: text("The user's own group, by name or number."),
    groups: list("Further groups. With append these are added, otherwise they are all there are."),
    append: flag("Keep groups that the task does not name.", { default: false }),
    comment: text("Full name."),
    home: path("Home folder."),
    create_home: flag("Make the home folder.", { default: true, aliases: ["createhome"] }),
    move_home: flag("Move the home folder when it changes.", { default: false }),
    skeleton: path("What a new home folder is filled from."),
    shell: path("Login shell."),
    password: text("The password's hash, as `mkpasswd -m sha-512` or the filter password_hash make it.", {
      secret: true,
    }),
    update_password: choice(["always", "on_create"])("Set the password of users that are there already?", {
      default: "always",
    }),
    password_lock: flag("Lock or unlock the password."),
    password_expire_max: whole("Days after which the password must be changed."),
    password_expire_min: whole("Days before which it may not be changed."),
    password_expire_warn: whole("Days before that the user is warned."),
    expires: decimal("When the account expires, in seconds since the epoch; below 0: never."),
    system: flag("Take a number of those for the system.", { default: false }),
    umask: text("umask for the new home folder."),
    local: flag("Of hosts with central users: change the local files. That is always so here.", {
      default: false,
    }),
    force: flag("With absent: also when the user is logged in. With generate_ssh_key: a new key each time.", {
      default: false,
    }),
    remove: flag("With absent: remove the home folder and mail too.", { default: false }),
    generate_ssh_key: flag("Make an SSH key for the user.", { default: false }),
    ssh_key_type: choice(["rsa", "ed25519", "ecdsa", "dsa"])("Kind of key.", { default: "rsa" }),
    ssh_key_bits: whole("Size of the key."),
    ssh_key_file: path("Where the key goes, relative to the home. Default: .ssh/id_TYPE."),
    ssh_key_comment: text("The key's comment. Default: user@host."),
    ssh_key_passphrase: text("The key's passphrase. Default: none.", { secret: true }),
    seuser: text("SELinux user. Accepted for roles that set it; hosts without SELinux have none."),
  },
  {
    check(args) {
      const { password } = args;
      if (password === undefined || isHash(password)) return undefined;
      return "password must be a hash; the filter password_hash('sha512') makes one";
    },
  },
);

/** crypt's forms, and the marks for "no password can be right". */
const isHash = (password: string): boolean =>
  /^!{0,2}\$[^$]+\$.+/.test(password) || /^[*!x]*$/.test(password) || /^[./0-9A-Za-z]{13}$/.test(password);

/** A line each: shadow, own group of that name, group asked for, home, key; then the groups that there are not. */
const moreSh = `getent shadow "$1" 2>/dev/null || echo
getent group "$1" >/dev/null 2>&1 && echo yes || echo no
if [ -n "$2" ]; then getent group "$2" | cut -d: -f1 | grep . || echo; else echo; fi
h=$3; [ -n "$h" ] || h=$(getent passwd "$1" | cut -d: -f6); [ -n "$h" ] && [ -d "$h" ] && echo yes || echo no
k=$4; case $k in /*) ;; *) k=$h/$k;; esac; [ -e "$k" ] && echo yes || echo no
cat -- "$k.pub" 2>/dev/null || echo
ssh-keygen -l -f "$k.pub" 2>/dev/null || echo
hostname; shift 4
for g; do getent group "$g" >/dev/null 2>&1 || printf '%s\\n' "$g"; done`;

type UserArgs = z.infer<typeof args>;

function ask(args: UserArgs): readonly Question[] {
  const groups = (args.groups ?? []).filter((group) => group !== "");
  const words = [args.name, args.group ?? "", args.home ?? "", keyFileOf(args), ...groups];
  return [
    { of: "user", name: args.name },
    { of: "script", sh: moreSh, args: words },
  ];
}

function read(answers: Answers): UserState {
  const [
    shadow = "",
    ownGroup,
    groupName = "",
    home,
    key,
    publicKey = "",
    fingerprint = "",
    host = "",
    ...unknown
  ] = linesOf(textOf(answerTo(answers, 1, "script").stdout));
  return {
    user: answerTo(answers, 0, "user"),
    shadow: shadow === "" ? undefined : shadow.split(":"),
    hasOwnGroup: ownGroup === "yes",
    groupName,
    hasHome: home === "yes",
    hasKey: key === "yes",
    publicKey,
    fingerprint,
    host,
    unknownGroups: unknown,
  };
}

export default defineModule({
  kind: "host",
  name: "user",
  summary: "Sees to it that a user is there, with groups, home, shell, password and key, or not.",
  args,
  example:
    "- name: who runs the deployments\n  user:\n    name: deploy\n    groups: [docker]\n    append: true\n    shell: /bin/bash\n",
  reads: "host",
  ask,
  read,
  plan: (args, state) => planUser(args, state),
  result(state, outcome, args) {
    if (args.state === "absent")
      return { name: args.name, state: "absent", remove: args.remove, force: args.force };
    const lines = linesOf(outcomeOutput(outcome).stdout);
    const shown = lines.find((line) => line.startsWith(`${args.name}:`))?.split(":") ?? [];
    const { user } = state;
    const uid = args.uid ?? user.uid ?? Number(shown[2]);
    const gid = shown[3] === undefined ? (user.gid ?? Number.NaN) : Number(shown[3]);
    const home = args.home ?? user.home ?? shown[5];
    const shell = args.shell ?? user.shell ?? shown[6];
    const publicKey = lines.find((line) => /^(ssh|ecdsa)-/.test(line)) ?? state.publicKey;
    const fingerprint = lines.find((line) => /^\d+ \w+:/.test(line)) ?? state.fingerprint;
    return {
      name: args.name,
      state: "present",
      append: args.append,
      move_home: args.move_home,
      create_home: args.create_home,
      system: args.system,
      ...(Number.isNaN(uid) ? {} : { uid }),
      ...(Number.isNaN(gid) ? {} : { group: gid }),
      ...(home === undefined ? {} : { home }),
      ...(shell === undefined ? {} : { shell }),
      comment: args.comment ?? user.gecos ?? "",
      ...(args.groups === undefined ? {} : { groups: args.groups.join(",") }),
      ...(args.password === undefined ? {} : { password: "NOT_LOGGING_PASSWORD" }),
      ...(args.generate_ssh_key && home !== undefined
        ? { ssh_key_file: keyFileOf(args).startsWith("/") ? keyFileOf(args) : `${home}/${keyFileOf(args)}` }
        : {}),
      ...(args.generate_ssh_key && publicKey !== "" ? { ssh_public_key: publicKey } : {}),
      ...(args.generate_ssh_key && fingerprint !== "" ? { ssh_fingerprint: fingerprint } : {}),
    };
  },
});
