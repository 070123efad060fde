/** ansible.cfg: the keys in common use are read, the others are named once and ignored. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import type { CliIo } from "./io.ts";

export interface AnsibleConfig {
  readonly inventory: readonly string[];
  readonly rolesPath: readonly string[];
  readonly remoteUser?: string;
  readonly privateKeyFile?: string;
  readonly vaultPasswordFile?: string;
  readonly connection?: string;
  readonly forks?: number;
  readonly timeoutSeconds?: number;
  readonly hostKeyChecking: boolean;
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly becomeMethod?: string;
  readonly forceHandlers: boolean;
  readonly diff: boolean;
}

/** `section.key`; what stands here with nothing to do concerns Ansible's own machinery. */
const used: ReadonlySet<string> = new Set([
  "defaults.inventory",
  "defaults.roles_path",
  "defaults.remote_user",
  "defaults.private_key_file",
  "defaults.vault_password_file",
  "defaults.transport",
  "defaults.forks",
  "defaults.timeout",
  "defaults.host_key_checking",
  "defaults.force_handlers",
  "privilege_escalation.become",
  "privilege_escalation.become_user",
  "privilege_escalation.become_method",
  "diff.always",
]);

export function readAnsibleConfig(io: CliIo): AnsibleConfig {
  const file = findConfig(io);
  const values =
    file === undefined ? new Map<string, string>() : parseConfig(readFileSync(file, "utf8"), file);
  const base = file === undefined ? io.cwd : dirname(file);
  if (file !== undefined) nameUnused(io, file, values);
  const text = (key: string): string | undefined => (values.get(key) === "" ? undefined : values.get(key));
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = text(key);
    return value === undefined ? otherwise : /^(yes|true|on|1|y|t)$/i.test(value);
  };
  const path = (given: string): string =>
    resolve(base, given.replace(/^~(?=\/|$)/, io.env["HOME"] ?? homedir()));
  const number = (key: string): number | undefined =>
    text(key) === undefined ? undefined : Number(text(key));
  const paths = (key: string, separator: RegExp): readonly string[] =>
    (text(key) ?? "")
      .split(separator)
      .map((each) => each.trim())
      .filter((each) => each !== "")
      .map(path);
  return {
    inventory: paths("defaults.inventory", /,/),
    rolesPath: paths("defaults.roles_path", /:/),
    ...given("remoteUser", text("defaults.remote_user")),
    ...given("privateKeyFile", mapped(text("defaults.private_key_file"), path)),
    ...given("vaultPasswordFile", mapped(text("defaults.vault_password_file"), path)),
    ...given("connection", text("defaults.transport")),
    ...given("forks", number("defaults.forks")),
    ...given("timeoutSeconds", number("defaults.timeout")),
    hostKeyChecking: flagOf(io.env["ANSIBLE_HOST_KEY_CHECKING"]) ?? flag("defaults.host_key_checking", true),
    become: flag("privilege_escalation.become", false),
    ...given("becomeUser", text("privilege_escalation.become_user")),
    ...given("becomeMethod", text("privilege_escalation.become_method")),
    forceHandlers: flag("defaults.force_handlers", false),
    diff: flag("diff.always", false),
  };
}

const mapped = (value: string | undefined, change: (text: string) => string): string | undefined =>
  value === undefined ? undefined : change(value);

const flagOf = (value: string | undefined): boolean | undefined =>
  value === undefined || value === "" ? undefined : /^(yes|true|on|1|y|t)$/i.test(value);

function given<K extends string, V>(key: K, value: V | undefined): { readonly [name in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [name in K]?: V };
}

/** $ANSIBLE_CONFIG, here, at home, in /etc: the first that exists. A folder that everybody may write to does not count. */
function findConfig(io: CliIo): string | undefined {
  const home = io.env["HOME"] ?? homedir();
  const named = io.env["ANSIBLE_CONFIG"];
  const here = join(io.cwd, "ansible.cfg");
  const isOpen = (statSync(io.cwd).mode & 0o002) !== 0;
  const places = [
    ...(named === undefined || named === "" ? [] : [resolve(io.cwd, named)]),
    ...(isOpen ? [] : [here]),
    join(home, ".ansible.cfg"),
    "/etc/ansible/ansible.cfg",
  ];
  return places.find((place) => existsSync(place) && statSync(place).isFile());
}

export function parseConfig(text: string, file: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = "";
  let last: string | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/\s[;#].*$/, "");
    const header = /^\s*\[([^\]]+)\]\s*$/.exec(line);
    if (/^\s*([#;].*)?$/.test(line)) continue;
    if (header !== null) {
      section = header[1] ?? "";
      last = undefined;
      continue;
    }
    const pair = /^([\w.-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (pair !== null) {
      last = `${section}.${pair[1]}`;
      values.set(last, (pair[2] ?? "").trim());
    } else if (/^\s/.test(line) && last !== undefined) {
      values.set(last, `${values.get(last)} ${line.trim()}`.trim());
    } else {
      throw new ProvisionError({
        code: "bad-config",
        action: "read the configuration",
        state: `"${raw.trim()}" is neither a section nor a setting`,
        span: { file, line: index + 1, column: 1, length: raw.length, sourceLine: raw },
        why: "lines are [section] or name = value",
      });
    }
  }
  return values;
}

function nameUnused(io: CliIo, file: string, values: ReadonlyMap<string, string>): void {
  const unused = [...values.keys()].filter((key) => !used.has(key));
  if (unused.length > 0) io.stderr(`${file}: not used here: ${unused.join(", ")}\n`);
}
