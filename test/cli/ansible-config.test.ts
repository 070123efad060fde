import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type AnsibleConfig, readAnsibleConfig } from "../../src/cli/ansible-config.ts";
import { type CapturedIo, capturedIo } from "../support/captured-io.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "provision-config-")));
const home = join(root, "home");
const work = join(root, "work");
mkdirSync(home);
mkdirSync(work);
afterAll(() => rmSync(root, { recursive: true }));

interface Given {
  readonly cfg?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function read({ cfg, env = {} }: Given): { config: AnsibleConfig; io: CapturedIo } {
  const io = capturedIo({ cwd: work, env: { HOME: home, ...env } });
  const file = join(work, "ansible.cfg");
  if (cfg !== undefined) writeFileSync(file, cfg);
  try {
    return { config: readAnsibleConfig(io), io };
  } finally {
    rmSync(file, { force: true });
  }
}

/** Section, key, its variable, what is written, what is understood. */
const settings: readonly (readonly [string, string, string, string, Partial<AnsibleConfig>])[] = [
  ["defaults", "inventory", "ANSIBLE_INVENTORY", "a.ini,~/b", { inventory: [`${work}/a.ini`, `${home}/b`] }],
  ["defaults", "inventory", "ANSIBLE_INVENTORY", "h1,h2,", { inventory: ["h1,h2,"] }],
  ["defaults", "roles_path", "ANSIBLE_ROLES_PATH", "r:/opt/r", { rolesPath: [`${work}/r`, "/opt/r"] }],
  ["defaults", "collections_paths", "ANSIBLE_COLLECTIONS_PATHS", "c", { collectionsPath: [`${work}/c`] }],
  [
    "defaults",
    "roles_path",
    "ANSIBLE_ROLES_PATH",
    "$HOME/r:{{CWD}}/s",
    { rolesPath: [`${home}/r`, `${work}/s`] },
  ],
  ["defaults", "remote_user", "ANSIBLE_REMOTE_USER", "bob", { remoteUser: "bob" }],
  ["defaults", "remote_user", "ANSIBLE_REMOTE_USER", "bob ; not alice", { remoteUser: "bob" }],
  ["defaults", "remote_port", "ANSIBLE_REMOTE_PORT", "2222", { remotePort: 2222 }],
  ["defaults", "private_key_file", "ANSIBLE_PRIVATE_KEY_FILE", "~/k", { privateKeyFile: `${home}/k` }],
  [
    "defaults",
    "vault_password_file",
    "ANSIBLE_VAULT_PASSWORD_FILE",
    "pw",
    { vaultPasswordFile: `${work}/pw` },
  ],
  [
    "defaults",
    "vault_identity_list",
    "ANSIBLE_VAULT_IDENTITY_LIST",
    "a@x, b@y",
    { vaultIds: ["a@x", "b@y"] },
  ],
  ["defaults", "ask_vault_pass", "ANSIBLE_ASK_VAULT_PASS", "yes", { askVaultPass: true }],
  ["defaults", "ask_pass", "ANSIBLE_ASK_PASS", "1", { askPass: true }],
  [
    "defaults",
    "connection_password_file",
    "ANSIBLE_CONNECTION_PASSWORD_FILE",
    "p",
    { passwordFile: `${work}/p` },
  ],
  [
    "defaults",
    "become_password_file",
    "ANSIBLE_BECOME_PASSWORD_FILE",
    "p",
    { becomePasswordFile: `${work}/p` },
  ],
  ["defaults", "transport", "ANSIBLE_TRANSPORT", "local", { connection: "local" }],
  ["defaults", "forks", "ANSIBLE_FORKS", "7", { forks: 7 }],
  ["defaults", "timeout", "ANSIBLE_TIMEOUT", "30", { timeoutSeconds: 30 }],
  ["ssh_connection", "timeout", "ANSIBLE_SSH_TIMEOUT", "31", { timeoutSeconds: 31 }],
  ["defaults", "host_key_checking", "ANSIBLE_HOST_KEY_CHECKING", "False", { hostKeyChecking: false }],
  ["ssh_connection", "host_key_checking", "ANSIBLE_SSH_HOST_KEY_CHECKING", "no", { hostKeyChecking: false }],
  ["defaults", "force_handlers", "ANSIBLE_FORCE_HANDLERS", "true", { forceHandlers: true }],
  ["privilege_escalation", "become", "ANSIBLE_BECOME", "on", { become: true }],
  ["privilege_escalation", "become_user", "ANSIBLE_BECOME_USER", "app", { becomeUser: "app" }],
  ["privilege_escalation", "become_method", "ANSIBLE_BECOME_METHOD", "su", { becomeMethod: "su" }],
  ["privilege_escalation", "become_flags", "ANSIBLE_BECOME_FLAGS", "-H -E", { becomeFlags: "-H -E" }],
  ["privilege_escalation", "become_ask_pass", "ANSIBLE_BECOME_ASK_PASS", "t", { askBecomePass: true }],
  ["ssh_connection", "ssh_args", "ANSIBLE_SSH_ARGS", "-o A=b", { sshArgs: "-o A=b" }],
  ["diff", "always", "ANSIBLE_DIFF_ALWAYS", "y", { diff: true }],
  ["tags", "run", "ANSIBLE_RUN_TAGS", "a,b", { tags: ["a", "b"] }],
  ["tags", "skip", "ANSIBLE_SKIP_TAGS", "c", { skipTags: ["c"] }],
];

describe.each(settings)("%s.%s, or $%s, as %j", (section, key, name, text, understood) => {
  test("is read from ansible.cfg", () => {
    const { config, io } = read({ cfg: `[other]\nx = 1\n[${section}]\n${key.toUpperCase()}: ${text}\n` });
    expect(config).toMatchObject(understood);
    expect(io.errors()).toBe(`${work}/ansible.cfg: not used here: other.x\n`);
  });

  test.skipIf(text.includes(";"))("is read from the environment, which wins", () => {
    const { config } = read({ cfg: `[${section}]\n${key} =\n`, env: { [name]: text } });
    expect(config).toMatchObject(understood);
  });
});

const mistakes: readonly (readonly [string, string, string])[] = [
  ["[defaults]\nforks = many\n", "ansible.cfg:2", "whole number"],
  ["[defaults]\nforks = 1\nFORKS = 2\n", "ansible.cfg:3", "stands twice"],
  ["[defaults]\nhash_behaviour = merge\n", "ansible.cfg:2", 'hash_behaviour is "merge"'],
  ["[defaults]\nbecome\n", "ansible.cfg:2", "neither a section nor a setting"],
  ["[privilege_escalation]\nbecome = perhaps\n", "ansible.cfg:2", 'become is "perhaps"'],
];

describe("ansible.cfg", () => {
  test.each(mistakes)("%j is refused at %s", (cfg, place, part) => {
    let thrown: unknown;
    try {
      read({ cfg });
    } catch (error) {
      thrown = error;
    }
    const { message, span, why } = thrown as {
      message: string;
      why?: string;
      span: { file: string; line: number };
    };
    expect(`${span.file}:${span.line}`).toBe(join(work, place));
    expect(`${message} ${why}`).toContain(part);
  });

  test("is $ANSIBLE_CONFIG, else that of this folder, else ~/.ansible.cfg", () => {
    const user = (name: string): string => `[defaults]\nremote_user = "${name}"\n`;
    writeFileSync(join(home, ".ansible.cfg"), user("of-home"));
    writeFileSync(join(home, "ansible.cfg"), user("of-folder"));
    writeFileSync(join(home, "other.cfg"), user("other"));
    expect(read({}).config.remoteUser).toBe("of-home");
    expect(read({ cfg: user("here") }).config.remoteUser).toBe("here");
    const named = (path: string) => read({ cfg: user("here"), env: { ANSIBLE_CONFIG: path } });
    expect(named("../home/other.cfg").config.remoteUser).toBe("other");
    expect(named("../home").config.remoteUser).toBe("of-folder");
    expect(() => named("nowhere.cfg")).toThrow(`there is no file "${work}/nowhere.cfg"`);
    rmSync(join(home, ".ansible.cfg"));
  });

  test("names paths relative to itself", () => {
    writeFileSync(join(home, "x.cfg"), "[defaults]\ninventory = hosts\n");
    expect(read({ env: { ANSIBLE_CONFIG: "../home/x.cfg" } }).config.inventory).toEqual([`${home}/hosts`]);
  });

  test("of a folder that everybody may write to is not read, and that is said", () => {
    chmodSync(work, 0o777);
    const { config, io } = read({ cfg: "[defaults]\nremote_user = mallory\n" });
    chmodSync(work, 0o755);
    expect(config.remoteUser).toBeUndefined();
    expect(io.errors()).toContain("everybody may write to this folder");
  });

  test("asks only within a section whether another key is meant", () => {
    const { io } = read({ cfg: "[defaults]\nlog_path = x\nrole_path = y\n" });
    expect(io.errors()).toContain("defaults.log_path, defaults.role_path (is defaults.roles_path meant?)");
  });
});
