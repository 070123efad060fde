/** Options, ansible.cfg and files → a RunRequest, and the reporter that tells how it goes. Shared by all that run tasks. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import { ProvisionError } from "../base/errors.ts";
import { limits } from "../provisioning/engine/limits.ts";
import type { RunRequest } from "../provisioning/engine/run-request.ts";
import type { Inventory } from "../provisioning/inventory/inventory.ts";
import { loadInventory } from "../provisioning/inventory/load-inventory.ts";
import { catalogue, loadModule } from "../provisioning/modules/index.ts";
import { loadPlaybook } from "../provisioning/playbook/load-playbook.ts";
import type { Playbook } from "../provisioning/playbook/model.ts";
import { openSession } from "../provisioning/transport/open-session.ts";
import { type AnsibleConfig, readAnsibleConfig } from "./ansible-config.ts";
import { connectionOf } from "./connection-defaults.ts";
import { readExtraVars } from "./extra-vars.ts";
import { resolveFailed } from "./failed-hosts.ts";
import { defaultInventory } from "./inventory-source.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";
import { openVaults, type Vaults } from "./vault-passwords.ts";

export interface Prepared {
  readonly request: RunRequest;
  readonly inventory: Inventory;
  readonly sources: readonly string[];
  readonly config: AnsibleConfig;
  readonly vaults: Vaults;
  readonly screen: ScreenHold;
}

/** What makes the screen wait while a question stands on it; set by who draws. */
export interface ScreenHold {
  hold: (() => Promise<() => void>) | undefined;
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
  const { options } = fields;
  const screen: ScreenHold = { hold: undefined };
  const io = askingAlone(fields.io, screen);
  const config = readAnsibleConfig(io);
  const sources = sourcesOf(fields, config);
  const vaults = await openVaults(options, io, config);
  const reload = (): Promise<Inventory> => loadInventory(sources, { cwd: io.cwd, ...vaults.decrypt });
  const inventory = await reload();
  const load = (file: string): Playbook =>
    loadPlaybook(file, { catalogue, ...rolePlaces(io, config), ...vaults.decrypt });
  const extraVars = readExtraVars(options.all("extra-vars"), io.cwd, vaults.decrypt.decrypt);
  const playbooks = fields.playbooks(load);
  const limit = limitOf(fields, playbooks, sources);
  const request: RunRequest = {
    playbooks,
    inventory,
    extraVars,
    ...(limit.length === 0 ? {} : { limit }),
    check: fields.check ?? options.has("check"),
    diff: fields.diff ?? (options.has("diff") || config.diff),
    tags: {
      only: options.has("tags") ? wordsOf(options, "tags") : config.tags,
      skip: options.has("skip-tags") ? wordsOf(options, "skip-tags") : config.skipTags,
    },
    ...startOf(options),
    ...(options.has("step") ? { confirmTask: confirmTask(io) } : {}),
    forks: options.number("forks", 1) ?? config.forks ?? limits.forks,
    forceHandlers: options.has("force-handlers") || config.forceHandlers,
    verbosity: options.count("verbose"),
    askAhead: !options.has("no-ask-ahead"),
    connection: await connectionOf(options, io, config),
    ...(io.canAsk ? { prompt: (question: string, hidden: boolean) => io.prompt(question, { hidden }) } : {}),
    openVault: vaults.open,
    openVaultFile: vaults.openFile,
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
  return { request, inventory, sources, config, vaults, screen };
}

const askingAlone = (io: CliIo, screen: ScreenHold): CliIo => ({
  ...io,
  prompt: async (question, options) => {
    const release = await screen.hold?.();
    try {
      return await io.prompt(question, options);
    } finally {
      release?.();
    }
  },
});

function sourcesOf({ options, inventory, io }: PrepareFields, config: AnsibleConfig): readonly string[] {
  const given = [...(inventory === undefined ? [] : [inventory]), ...options.all("inventory")];
  if (given.length > 0) return given;
  const named = io.env["PROVISION_INVENTORY"];
  if ((named === undefined || named === "") && config.inventory.length > 0) return config.inventory;
  return [defaultInventory(io)];
}

/** Where roles are looked for, besides the folders beside the playbook. */
export const rolePlaces = (
  io: CliIo,
  { rolesPath, collectionsPath }: AnsibleConfig,
): { readonly rolesPath: readonly string[]; readonly collectionsPath?: readonly string[] } => ({
  rolesPath: [...rolesPath, resolve(io.cwd, "roles"), join(io.packageRoot, "roles")],
  ...(collectionsPath.length === 0 ? {} : { collectionsPath }),
});

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
