/** ansible.cfg: the keys in common use are read, the others are named once and ignored. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ProvisionError, type Span } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { CliIo } from "./io.ts";

export interface AnsibleConfig {
  readonly inventory: readonly string[];
  readonly rolesPath: readonly string[];
  readonly remoteUser?: string;
  readonly privateKeyFile?: string;
  readonly vaultPasswordFile?: string;
  /** `label@source`, as --vault-id takes them. */
  readonly vaultIds: readonly string[];
  readonly connection?: string;
  readonly forks?: number;
  readonly timeoutSeconds?: number;
  readonly sshArgs?: string;
  readonly askPass: boolean;
  readonly askBecomePass: boolean;
  readonly askVaultPass: boolean;
  readonly hostKeyChecking: boolean;
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly becomeMethod?: string;
  readonly forceHandlers: boolean;
  readonly diff: boolean;
}

/** `section.key` and the environment variable that wins over it; other settings concern Ansible's own machinery. */
const settings: Readonly<Record<string, string>> = {
  "defaults.inventory": "ANSIBLE_INVENTORY",
  "defaults.hostfile": "ANSIBLE_HOSTS",
  "defaults.roles_path": "ANSIBLE_ROLES_PATH",
  "defaults.remote_user": "ANSIBLE_REMOTE_USER",
  "defaults.private_key_file": "ANSIBLE_PRIVATE_KEY_FILE",
  "defaults.vault_password_file": "ANSIBLE_VAULT_PASSWORD_FILE",
  "defaults.vault_identity_list": "ANSIBLE_VAULT_IDENTITY_LIST",
  "defaults.ask_vault_pass": "ANSIBLE_ASK_VAULT_PASS",
  "defaults.ask_pass": "ANSIBLE_ASK_PASS",
  "defaults.transport": "ANSIBLE_TRANSPORT",
  "defaults.forks": "ANSIBLE_FORKS",
  "defaults.timeout": "ANSIBLE_TIMEOUT",
  "defaults.host_key_checking": "ANSIBLE_HOST_KEY_CHECKING",
  "defaults.force_handlers": "ANSIBLE_FORCE_HANDLERS",
  "privilege_escalation.become": "ANSIBLE_BECOME",
  "privilege_escalation.become_user": "ANSIBLE_BECOME_USER",
  "privilege_escalation.become_method": "ANSIBLE_BECOME_METHOD",
  "privilege_escalation.become_ask_pass": "ANSIBLE_BECOME_ASK_PASS",
  "ssh_connection.ssh_args": "ANSIBLE_SSH_ARGS",
  "ssh_connection.ssh_common_args": "ANSIBLE_SSH_COMMON_ARGS",
  "ssh_connection.ssh_extra_args": "ANSIBLE_SSH_EXTRA_ARGS",
  "diff.always": "ANSIBLE_DIFF_ALWAYS",
};

interface Setting {
  readonly text: string;
  readonly span: Span;
}

export function readAnsibleConfig(io: CliIo): AnsibleConfig {
  const file = findConfig(io);
  const values =
    file === undefined ? new Map<string, Setting>() : parseConfig(readFileSync(file, "utf8"), file);
  if (file !== undefined) nameUnused(io, file, values);
  for (const [key, name] of Object.entries(settings)) {
    const text = io.env[name];
    if (text !== undefined && text !== "")
      values.set(key, { text, span: { file: `$${name}`, line: 1, column: 1 } });
  }
  return configOf(new Settings(values, io));
}

function configOf(read: Settings): AnsibleConfig {
  const ssh = ["ssh_args", "ssh_common_args", "ssh_extra_args"].map(
    (key) => read.text(`ssh_connection.${key}`) ?? "",
  );
  return {
    inventory: read.paths(read.has("defaults.inventory") ? "defaults.inventory" : "defaults.hostfile", /,/),
    rolesPath: read.paths("defaults.roles_path", /:/),
    ...given("remoteUser", read.text("defaults.remote_user")),
    ...given("privateKeyFile", read.path("defaults.private_key_file")),
    ...given("vaultPasswordFile", read.path("defaults.vault_password_file")),
    vaultIds: (read.text("defaults.vault_identity_list") ?? "").split(/[,\s]+/).filter((id) => id !== ""),
    ...given("connection", read.text("defaults.transport")),
    ...given("forks", read.number("defaults.forks")),
    ...given("timeoutSeconds", read.number("defaults.timeout")),
    ...given("sshArgs", ssh.join(" ").trim() || undefined),
    hostKeyChecking: read.flag("defaults.host_key_checking", true),
    askPass: read.flag("defaults.ask_pass", false),
    askBecomePass: read.flag("privilege_escalation.become_ask_pass", false),
    askVaultPass: read.flag("defaults.ask_vault_pass", false),
    become: read.flag("privilege_escalation.become", false),
    ...given("becomeUser", read.text("privilege_escalation.become_user")),
    ...given("becomeMethod", read.text("privilege_escalation.become_method")),
    forceHandlers: read.flag("defaults.force_handlers", false),
    diff: read.flag("diff.always", false),
  };
}

/** Texts as what they mean; paths are relative to the file that names them. */
class Settings {
  readonly #values: ReadonlyMap<string, Setting>;
  readonly #io: CliIo;

  constructor(values: ReadonlyMap<string, Setting>, io: CliIo) {
    this.#values = values;
    this.#io = io;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  text(key: string): string | undefined {
    return this.#values.get(key)?.text || undefined;
  }

  flag(key: string, otherwise: boolean): boolean {
    const text = this.text(key);
    if (text === undefined) return otherwise;
    if (/^(yes|true|on|1|y|t)$/i.test(text)) return true;
    if (/^(no|false|off|0|n|f)$/i.test(text)) return false;
    throw this.#bad(key, "it is true or false");
  }

  number(key: string): number | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    if (!/^\d+$/.test(text) || Number(text) < 1) throw this.#bad(key, "it is a whole number from 1 up");
    return Number(text);
  }

  path(key: string): string | undefined {
    return this.paths(key, /$^/)[0];
  }

  paths(key: string, separator: RegExp): readonly string[] {
    const setting = this.#values.get(key);
    if (setting === undefined) return [];
    const base = setting.span.file.startsWith("$") ? this.#io.cwd : dirname(setting.span.file);
    const home = this.#io.env["HOME"] ?? homedir();
    const isList = key === "defaults.inventory" && setting.text.endsWith(",");
    if (isList) return [setting.text];
    return setting.text
      .split(separator)
      .map((each) => each.trim())
      .filter((each) => each !== "")
      .map((each) => resolve(base, each.replace(/^~(?=\/|$)/, home)));
  }

  #bad(key: string, why: string): ProvisionError {
    const { text = "", span } = this.#values.get(key) ?? {};
    const name = key.slice(key.indexOf(".") + 1);
    return new ProvisionError({
      code: "bad-config",
      action: "read the configuration",
      state: `${name} is "${text}"`,
      span,
      why,
    });
  }
}

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

export function parseConfig(text: string, file: string): Map<string, Setting> {
  const values = new Map<string, Setting>();
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
    const before = last === undefined ? undefined : values.get(last);
    const pair = /^([\w.-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (pair !== null) {
      last = `${section}.${pair[1]}`;
      const span = { file, line: index + 1, column: 1, length: raw.length, sourceLine: raw };
      values.set(last, { text: (pair[2] ?? "").trim(), span });
    } else if (/^\s/.test(line) && before !== undefined && last !== undefined) {
      values.set(last, { text: `${before.text} ${line.trim()}`.trim(), span: before.span });
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

function nameUnused(io: CliIo, file: string, values: ReadonlyMap<string, Setting>): void {
  const unused = [...values.keys()].filter((key) => !Object.hasOwn(settings, key));
  if (unused.length === 0) return;
  const named = unused.map((key) => {
    const near = nearest(key, Object.keys(settings));
    return near === undefined ? key : `${key} (is ${near} meant?)`;
  });
  io.stderr(`${file}: not used here: ${named.join(", ")}\n`);
}
