/** ansible.cfg: the keys in common use are read, the others are named once and ignored. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ProvisionError, type Span } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { statPath } from "../base/stat-path.ts";
import { unquote } from "../provisioning/source/split-key-values.ts";
import type { CliIo } from "./io.ts";

export interface AnsibleConfig {
  readonly inventory: readonly string[];
  readonly rolesPath: readonly string[];
  readonly collectionsPath: readonly string[];
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
  readonly becomeFlags?: string;
  readonly passwordFile?: string;
  readonly becomePasswordFile?: string;
  readonly remotePort?: number;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly forceHandlers: boolean;
  readonly diff: boolean;
}

/** `section.key` and the environment variable that wins over it; other settings concern Ansible's own machinery. */
const settings: Readonly<Record<string, string>> = {
  "defaults.inventory": "ANSIBLE_INVENTORY",
  "defaults.hostfile": "ANSIBLE_HOSTS",
  "defaults.roles_path": "ANSIBLE_ROLES_PATH",
  "defaults.collections_path": "ANSIBLE_COLLECTIONS_PATH",
  "defaults.collections_paths": "ANSIBLE_COLLECTIONS_PATHS",
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
  "defaults.remote_port": "ANSIBLE_REMOTE_PORT",
  "defaults.connection_password_file": "ANSIBLE_CONNECTION_PASSWORD_FILE",
  "defaults.become_password_file": "ANSIBLE_BECOME_PASSWORD_FILE",
  "defaults.hash_behaviour": "ANSIBLE_HASH_BEHAVIOUR",
  "privilege_escalation.become": "ANSIBLE_BECOME",
  "privilege_escalation.become_user": "ANSIBLE_BECOME_USER",
  "privilege_escalation.become_method": "ANSIBLE_BECOME_METHOD",
  "privilege_escalation.become_flags": "ANSIBLE_BECOME_FLAGS",
  "privilege_escalation.become_ask_pass": "ANSIBLE_BECOME_ASK_PASS",
  "ssh_connection.host_key_checking": "ANSIBLE_SSH_HOST_KEY_CHECKING",
  "ssh_connection.timeout": "ANSIBLE_SSH_TIMEOUT",
  "ssh_connection.ssh_args": "ANSIBLE_SSH_ARGS",
  "ssh_connection.ssh_common_args": "ANSIBLE_SSH_COMMON_ARGS",
  "ssh_connection.ssh_extra_args": "ANSIBLE_SSH_EXTRA_ARGS",
  "diff.always": "ANSIBLE_DIFF_ALWAYS",
  "tags.run": "ANSIBLE_RUN_TAGS",
  "tags.skip": "ANSIBLE_SKIP_TAGS",
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
  const read = new Settings(values, io);
  read.refuseMerge("defaults.hash_behaviour");
  return configOf(read);
}

function configOf(read: Settings): AnsibleConfig {
  const ssh = ["ssh_args", "ssh_common_args", "ssh_extra_args"].map(
    (key) => read.text(`ssh_connection.${key}`) ?? "",
  );
  return {
    inventory: read.paths(read.has("defaults.inventory") ? "defaults.inventory" : "defaults.hostfile", /,/),
    rolesPath: read.paths("defaults.roles_path", /:/),
    collectionsPath: ["defaults.collections_path", "defaults.collections_paths"].flatMap((name) =>
      read.paths(name, /:/),
    ),
    ...given("remoteUser", read.text("defaults.remote_user")),
    ...given("privateKeyFile", read.path("defaults.private_key_file")),
    ...given("vaultPasswordFile", read.path("defaults.vault_password_file")),
    vaultIds: read.words("defaults.vault_identity_list"),
    ...given("connection", read.text("defaults.transport")),
    ...given("forks", read.number("defaults.forks")),
    ...given("timeoutSeconds", read.number("ssh_connection.timeout") ?? read.number("defaults.timeout")),
    ...given("remotePort", read.number("defaults.remote_port")),
    ...given("passwordFile", read.path("defaults.connection_password_file")),
    ...given("becomePasswordFile", read.path("defaults.become_password_file")),
    ...given("becomeFlags", read.text("privilege_escalation.become_flags")),
    tags: read.words("tags.run"),
    skipTags: read.words("tags.skip"),
    ...given("sshArgs", ssh.join(" ").trim() || undefined),
    hostKeyChecking: read.flag(
      "ssh_connection.host_key_checking",
      read.flag("defaults.host_key_checking", true),
    ),
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

  words(key: string): readonly string[] {
    return (this.text(key) ?? "").split(/[,\s]+/).filter((word) => word !== "");
  }

  /** Whoever counts on merged maps would get other values: no setting to pass over. */
  refuseMerge(key: string): void {
    const text = this.text(key);
    if (text === undefined || text === "replace") return;
    throw this.#bad(key, "a map of a stronger source replaces the weaker one's whole; combine() merges them");
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
    if (!/^\d+$/.test(text) || Number(text) < 1) throw this.#bad(key, "it is a whole number from 1 up", "10");
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
      .map((each) => resolve(base, this.#expanded(each).replace(/^~(?=\/|$)/, home)));
  }

  /** `$NAME` of the environment, and Ansible's own name for the folder at hand. */
  #expanded(path: string): string {
    return path
      .replace(/\{\{\s*(?:CWD|PWD)\s*\}\}/g, this.#io.cwd)
      .replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => this.#io.env[braced ?? bare] ?? whole);
  }

  #bad(key: string, why: string, good?: string): ProvisionError {
    const { text = "", span } = this.#values.get(key) ?? {};
    const name = key.slice(key.indexOf(".") + 1);
    return new ProvisionError({
      code: "bad-config",
      action: "read the configuration",
      state: `${name} is "${text}"`,
      span,
      why,
      fix: `${name} = ${good ?? (why === "it is true or false" ? "true" : "…")}, or take the line out`,
    });
  }
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [name in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [name in K]?: V };
}

/** $ANSIBLE_CONFIG, here, at home, in /etc: the first that exists. */
function findConfig(io: CliIo): string | undefined {
  const named = io.env["ANSIBLE_CONFIG"];
  if (named !== undefined && named !== "") return namedConfig(resolve(io.cwd, named));
  const home = io.env["HOME"] ?? homedir();
  const places = [configHere(io), join(home, ".ansible.cfg"), "/etc/ansible/ansible.cfg"];
  return places.find((place) => place !== undefined && isFile(place));
}

const isFile = (path: string): boolean => statPath(path)?.isFile() === true;

function namedConfig(path: string): string {
  const found = [path, join(path, "ansible.cfg")].find(isFile);
  if (found !== undefined) return found;
  throw new ProvisionError({
    code: "missing-file",
    action: "read the configuration",
    state: `there is no file "${path}"`,
    why: "$ANSIBLE_CONFIG names it",
    fix: "unset ANSIBLE_CONFIG",
  });
}

/** Where everybody may write, anybody could have put it there. */
function configHere(io: CliIo): string | undefined {
  const here = join(io.cwd, "ansible.cfg");
  if (!isFile(here) || ((statPath(io.cwd)?.mode ?? 0) & 0o002) === 0) return here;
  io.stderr(
    `${here}: not read: everybody may write to this folder (chmod o-w . or ANSIBLE_CONFIG=ansible.cfg)\n`,
  );
  return undefined;
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
      last = `${section}.${pair[1]?.toLowerCase()}`;
      const span = { file, line: index + 1, column: 1, length: raw.length, sourceLine: raw };
      const earlier = values.get(last);
      if (earlier !== undefined) throw settingTwice(last, span, earlier.span);
      values.set(last, { text: unquote((pair[2] ?? "").trim()), span });
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

const settingTwice = (key: string, span: Span, earlier: Span): ProvisionError =>
  new ProvisionError({
    code: "bad-config",
    action: "read the configuration",
    state: `"${key}" stands twice`,
    span,
    why: `the first is in line ${earlier.line}`,
    fix: "remove one of them",
  });

function nameUnused(io: CliIo, file: string, values: ReadonlyMap<string, Setting>): void {
  const unused = [...values.keys()].filter((key) => !Object.hasOwn(settings, key));
  if (unused.length === 0) return;
  const named = unused.map((key) => {
    const near = nearSetting(key);
    return near === undefined ? key : `${key} (is ${near} meant?)`;
  });
  io.stderr(`${file}: not used here: ${named.join(", ")}\n`);
}

/** Of the same section: the section's own name must not count as likeness. */
function nearSetting(key: string): string | undefined {
  const section = key.slice(0, key.indexOf(".") + 1);
  const names = Object.keys(settings).filter((each) => each.startsWith(section));
  const near = nearest(
    key.slice(section.length),
    names.map((name) => name.slice(section.length)),
  );
  return near === undefined ? undefined : section + near;
}
