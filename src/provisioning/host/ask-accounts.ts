/**
 * Questions about users and groups: one awk over passwd, group and (as root) shadow. What is not in the files is asked
 * of getent, but only where nsswitch.conf names a directory service.
 */
import { shellQuote } from "../../base/shell-quote.ts";
import { decodeHostText } from "./host-text.ts";
import type { GroupAnswer, Question, UserAnswer } from "./question.ts";
import { badAnswer, type Sections } from "./sections.ts";

export type AccountQuestion = Extract<Question, { of: "user" | "group" }>;

const program = `BEGIN { FS = ":"; n = split(ENVIRON["PU"], a, "\\n"); for (i = 1; i <= n; i++) u[a[i]] = 1
n = split(ENVIRON["PG"], a, "\\n"); for (i = 1; i <= n; i++) g[a[i]] = 1 }
FILENAME == "/etc/passwd" && ($1 in u) { print "u:" $0; id[$4] = 1; next }
FILENAME == "/etc/shadow" && ($1 in u) { print "s:" $1 ":" $2; next }
FILENAME == "/etc/group" { hit = ($1 in g) || ($3 in id); n = split($4, a, ","); for (i = 1; i <= n; i++) if (a[i] in u) hit = 1
if (hit) print "g:" $0 }`;

/** The account names must stand in the files alone for awk's word to be final. */
const functions = `
A() { m accounts; f='/etc/passwd /etc/group'; [ -r /etc/shadow ] && f="$f /etc/shadow"; awk '${program}' $f 2>/dev/null || m noawk
x=; [ -r /etc/nsswitch.conf ] && while read -r d s; do case $d in passwd:|group:) case " $s " in *" ldap "*|*" sss "*|*" winbind "*|*" nis"*|*" db "*|*" extrausers "*) x=1;; esac;; esac; done </etc/nsswitch.conf
[ -n "$x" ] && command -v getent >/dev/null 2>&1 && { m getent
printf '%s' "$PU" | while read -r n || [ -n "$n" ]; do getent passwd "$n" | while read -r l; do printf 'u:%s\\n' "$l"; printf 'i:%s:%s\\n' "$n" "$(id -Gn "$n" 2>/dev/null)"; done; done
printf '%s' "$PG" | while read -r n || [ -n "$n" ]; do getent group "$n" | while read -r l; do printf 'g:%s\\n' "$l"; done; done; }; }
`.trim();

const possible = (name: string): boolean => name !== "" && !/[\n:\0]/.test(name);

export function accountScript(questions: readonly AccountQuestion[]): string {
  const names = (of: "user" | "group"): string =>
    shellQuote(
      [...new Set(questions.filter((q) => q.of === of && possible(q.name)).map(({ name }) => name))].join(
        "\n",
      ),
    );
  return `${functions}\nPU=${names("user")}; PG=${names("group")}; export PU PG; A; unset PU PG`;
}

interface Accounts {
  readonly users: Map<string, string[]>;
  readonly hashes: Map<string, string>;
  readonly groups: Map<string, string[]>;
  readonly memberships: Map<string, string[]>;
}

export function readAccounts(sections: Sections): (question: AccountQuestion) => UserAnswer | GroupAnswer {
  const text = sections.get("accounts");
  if (text === undefined || sections.get("noawk")) throw badAnswer("the host has no awk, or it failed");
  const accounts: Accounts = {
    users: new Map(),
    hashes: new Map(),
    groups: new Map(),
    memberships: new Map(),
  };
  for (const line of decodeHostText(text).split("\n")) readLine(accounts, line);
  for (const line of decodeHostText(sections.get("getent") ?? Buffer.alloc(0)).split("\n"))
    readLine(accounts, line);
  return ({ of, name }) => (of === "user" ? userAnswer(accounts, name) : groupAnswer(accounts, name));
}

function readLine(accounts: Accounts, line: string): void {
  const fields = line.slice(2).split(":");
  const [name = ""] = fields;
  const put = <T>(map: Map<string, T>, value: T): void => {
    if (!map.has(name)) map.set(name, value);
  };
  if (line.startsWith("u:")) put(accounts.users, fields);
  if (line.startsWith("s:")) put(accounts.hashes, fields[1] ?? "");
  if (line.startsWith("g:")) put(accounts.groups, fields);
  if (line.startsWith("i:")) put(accounts.memberships, (fields[1] ?? "").split(" "));
}

const members = (fields: readonly string[]): string[] => (fields[3] ?? "").split(",").filter((m) => m !== "");

function userAnswer({ users, hashes, groups, memberships }: Accounts, name: string): UserAnswer {
  const fields = users.get(name);
  if (!fields) return { exists: false };
  const [, , uid, gid, gecos = "", home = "", shell = ""] = fields;
  const all = [...groups.values()];
  const primary = all.find((group) => group[2] === gid)?.[0];
  const listed = all.filter((group) => members(group).includes(name)).map((group) => group[0] ?? "");
  const known = memberships.get(name) ?? listed;
  const hash = hashes.get(name);
  return {
    exists: true,
    uid: Number(uid),
    gid: Number(gid),
    gecos,
    home,
    shell,
    groups: known.filter((group) => group !== primary || listed.includes(group)),
    ...(primary === undefined ? {} : { primaryGroup: primary }),
    ...(hash === undefined ? {} : { passwordHash: hash }),
  };
}

function groupAnswer({ groups }: Accounts, name: string): GroupAnswer {
  const fields = groups.get(name);
  return fields ? { exists: true, gid: Number(fields[2]), members: members(fields) } : { exists: false };
}
