/** Options, ansible.cfg and files → a RunRequest, and the reporter that tells how it goes. Shared by all that run tasks. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import { ProvisionError } from "../base/errors.ts";
import { limits } from "../provisioning/engine/limits.ts";
import type { ConnectionDefaults, RunRequest } from "../provisioning/engine/run-request.ts";
import type { Inventory } from "../provisioning/inventory/inventory.ts";
import { loadInventory } from "../provisioning/inventory/load-inventory.ts";
import { catalogue, loadModule } from "../provisioning/modules/index.ts";
import { loadPlaybook } from "../provisioning/playbook/load-playbook.ts";
import type { Playbook } from "../provisioning/playbook/model.ts";
import { openSession } from "../provisioning/transport/open-session.ts";
import { type AnsibleConfig, readAnsibleConfig } from "./ansible-config.ts";
import { readExtraVars } from "./extra-vars.ts";
import { resolveFailed } from "./failed-hosts.ts";
import { defaultInventory } from "./inventory-source.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";
import { badUsage } from "./parse-options.ts";
import { openVaults, type Vaults } from "./vault-passwords.ts";

export interface Prepared {
  readonly request: RunRequest;
  readonly inventory: Inventory;
  readonly sources: readonly string[];
  readonly config: AnsibleConfig;
  readonly vaults: Vaults;
}

export interface PrepareFields {
  readonly options: ParsedOptions;
  readonly io: CliIo;
  /** Inventory given as a plain argument. */
  readonly inventory?: string;
  readonly playbooks: (load: (file: string) => Playbook) => readonly Playbook[];
  readonly check?: boolean;
  readonly diff?: boolean;
}

export async function prepareRun(fields: PrepareFields): Promise<Prepared> {
  const { options, io } = fields;
  const config = readAnsibleConfig(io);
  const sources = sourcesOf(fields, config);
  const vaults = await openVaults(options, io, config);
  const reload = (): Promise<Inventory> => loadInventory(sources, { cwd: io.cwd, ...vaults.decrypt });
  const inventory = await reload();
  const load = (file: string): Playbook =>
    loadPlaybook(file, { catalogue, rolesPath: rolesPathOf(io, config), ...vaults.decrypt });
  const playbooks = fields.playbooks(load);
  const limit = limitOf(fields, playbooks, sources);
  const request: RunRequest = {
    playbooks,
    inventory,
    extraVars: readExtraVars(options.all("extra-vars"), io.cwd),
    ...(limit.length === 0 ? {} : { limit }),
    check: fields.check ?? options.has("check"),
    diff: fields.diff ?? (options.has("diff") || config.diff),
    tags: { only: wordsOf(options, "tags"), skip: wordsOf(options, "skip-tags") },
    ...startOf(options),
    ...(options.has("step") ? { confirmTask: confirmTask(io) } : {}),
    forks: options.number("forks", 1) ?? config.forks ?? limits.forks,
    forceHandlers: options.has("force-handlers") || config.forceHandlers,
    verbosity: options.count("verbose"),
    askAhead: !options.has("no-ask-ahead"),
    connection: await connectionOf(options, io, config),
    ...(io.canAsk ? { prompt: (question: string, hidden: boolean) => io.prompt(question, { hidden }) } : {}),
    ...(vaults.open === undefined ? {} : { openVault: vaults.open }),
    secrets: new Set(),
    reloadInventory: reload,
    environment: {
      clock: systemClock,
      openSession,
      loadModule,
      random: Math.random,
      env: io.env,
      cwd: io.cwd,
    },
  };
  return { request, inventory, sources, config, vaults };
}

function sourcesOf({ options, inventory, io }: PrepareFields, config: AnsibleConfig): readonly string[] {
  const given = [...(inventory === undefined ? [] : [inventory]), ...options.all("inventory")];
  if (given.length > 0) return given;
  const named = io.env["PROVISION_INVENTORY"];
  if ((named === undefined || named === "") && config.inventory.length > 0) return config.inventory;
  return [defaultInventory(io)];
}

export const rolesPathOf = (io: CliIo, config: AnsibleConfig): readonly string[] => [
  ...config.rolesPath,
  resolve(io.cwd, "roles"),
  join(io.packageRoot, "roles"),
];

/** Comma lists of all occurrences. */
const wordsOf = (options: ParsedOptions, name: string): readonly string[] =>
  options.all(name).flatMap((text) =>
    text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== ""),
  );

const startOf = (options: ParsedOptions): { readonly startAtTask?: string } => {
  const task = options.value("start-at-task");
  return task === undefined ? {} : { startAtTask: task };
};

function limitOf(
  { options, io }: PrepareFields,
  playbooks: readonly Playbook[],
  sources: readonly string[],
): readonly string[] {
  return options.all("limit").flatMap((text) => {
    if (text !== "@failed") return [text];
    return resolveFailed(
      io,
      playbooks.map(({ file }) => file),
      sources,
    );
  });
}

function confirmTask(io: CliIo): (task: string) => Promise<"yes" | "no" | "continue"> {
  return async (task) => {
    for (;;) {
      const answer = (
        await io.prompt(`Run "${task}"? (y)es, (n)o, (c)ontinue without asking: `, {
          otherwise: "leave --step out",
        })
      )
        .trim()
        .toLowerCase();
      if (answer === "y" || answer === "yes") return "yes";
      if (answer === "n" || answer === "no") return "no";
      if (answer === "c" || answer === "continue") return "continue";
    }
  };
}

async function connectionOf(
  options: ParsedOptions,
  io: CliIo,
  config: AnsibleConfig,
): Promise<ConnectionDefaults> {
  const user = options.value("user") ?? config.remoteUser;
  const key = options.value("private-key") ?? config.privateKeyFile;
  const connection = connectionKind(options.value("connection") ?? config.connection);
  const seconds = options.number("timeout", 1) ?? config.timeoutSeconds;
  const method = options.value("become-method") ?? config.becomeMethod;
  if (method !== undefined && method !== "sudo" && method !== "su") {
    throw badUsage(`--become-method is "${method}"`, "it is sudo or su");
  }
  const password = options.has("ask-pass")
    ? await io.prompt("Login password: ", {
        hidden: true,
        otherwise:
          "leave -k out, and log in with a key (--private-key FILE) or with ansible_password (-e @FILE)",
      })
    : undefined;
  const becomePassword = options.has("ask-become-pass")
    ? (await io.prompt(
        `Password of ${method ?? "sudo"}${password === undefined ? "" : " (Enter: the login password)"}: `,
        {
          hidden: true,
          otherwise: "leave -K out, and give ansible_become_password in a vault file: -e @FILE",
        },
      )) || password
    : undefined;
  const becomeUser = options.value("become-user") ?? config.becomeUser;
  const sshConfig = options.value("ssh-config");
  return {
    ...(user === undefined ? {} : { user }),
    ...(key === undefined ? {} : { privateKeyFile: key }),
    ...(connection === undefined ? {} : { connection }),
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
    ...(password === undefined ? {} : { password }),
    hostKeyChecking: options.has("accept-new-host-keys")
      ? "accept-new"
      : config.hostKeyChecking
        ? "strict"
        : "off",
    ...(sshConfig === undefined ? {} : { sshConfigFile: resolve(io.cwd, sshConfig) }),
    become: options.has("become") || config.become,
    ...(becomeUser === undefined ? {} : { becomeUser }),
    ...(method === undefined ? {} : { becomeMethod: method }),
    ...(becomePassword === undefined ? {} : { becomePassword }),
    ...(io.canAsk ? { confirmHostKey: confirmHostKey(io) } : {}),
  };
}

const confirmHostKey =
  (io: CliIo) =>
  async (question: string): Promise<boolean> =>
    /^y(es)?$/i.test((await io.prompt(`${question} (yes/no) `)).trim());

function connectionKind(kind: string | undefined): ConnectionDefaults["connection"] {
  if (kind === undefined || kind === "smart") return undefined;
  if (kind === "ssh" || kind === "local" || kind === "docker") return kind;
  throw badUsage(`--connection is "${kind}"`, "it is ssh, local or docker");
}

/** site.yml here, else the toolkit's own. */
export function defaultPlaybook(io: CliIo): string {
  const found = [resolve(io.cwd, "site.yml"), join(io.packageRoot, "site.yml")].find((file) =>
    existsSync(file),
  );
  if (found !== undefined) return found;
  throw new ProvisionError({
    code: "missing-file",
    action: "choose a playbook",
    state: "none is given, and here is no site.yml",
    fix: "provision INVENTORY PLAYBOOK",
  });
}
