/** Runs a playbook given as text through the real engine, on local shells, without a reporter. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { readExtraVars } from "../../src/cli/extra-vars.ts";
import type { EngineEvent } from "../../src/provisioning/engine/events.ts";
import { runPlaybooks } from "../../src/provisioning/engine/run-playbooks.ts";
import type { RunRequest, RunSummary } from "../../src/provisioning/engine/run-request.ts";
import { loadInventory } from "../../src/provisioning/inventory/load-inventory.ts";
import { catalogue, loadModule } from "../../src/provisioning/modules/index.ts";
import { loadPlaybook } from "../../src/provisioning/playbook/load-playbook.ts";
import { openSession } from "../../src/provisioning/transport/open-session.ts";
import type { OpenSession } from "../../src/provisioning/transport/session.ts";

export interface PlaybookRun {
  readonly summary: RunSummary;
  readonly events: readonly EngineEvent[];
}
export interface PlaybookText {
  readonly playbook: string;
  /** Default: one host "a" with a local connection. */
  readonly inventory?: string;
  /** Further files, by their path beside the playbook. */
  readonly files?: Readonly<Record<string, string>>;
  readonly extraVars?: readonly string[];
  /** Where the playbook stands; default: a folder of its own, gone afterwards. */
  readonly folder?: string;
  readonly request?: Partial<RunRequest>;
  readonly openSession?: OpenSession;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** Each test of the file gets a folder of its own, which goes with it. */
export function inNewFolders(use: (folder: string) => void): void {
  let folder = "";
  beforeEach(() => {
    folder = newFolder();
    use(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "provision-engine-"));

export async function runText(text: PlaybookText): Promise<PlaybookRun> {
  if (text.folder !== undefined) return runIn(text.folder, text);
  const dir = newFolder();
  try {
    return await runIn(dir, text);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runIn(dir: string, text: PlaybookText): Promise<PlaybookRun> {
  const file = join(dir, "site.yml");
  writeFileSync(file, text.playbook);
  writeFileSync(join(dir, "hosts.ini"), text.inventory ?? "a ansible_connection=local\n");
  for (const [name, content] of Object.entries(text.files ?? {})) writeFileSync(join(dir, name), content);
  const inventory = await loadInventory([join(dir, "hosts.ini")], { cwd: dir });
  const events: EngineEvent[] = [];
  const request: RunRequest = {
    playbooks: [loadPlaybook(file, { catalogue, rolesPath: [] })],
    inventory,
    extraVars: readExtraVars(text.extraVars ?? [], dir),
    check: false,
    diff: false,
    tags: { only: [], skip: [] },
    forks: 10,
    forceHandlers: false,
    verbosity: 0,
    askAhead: true,
    connection: { hostKeyChecking: "strict", become: false },
    environment: {
      clock: systemClock,
      openSession: text.openSession ?? openSession,
      loadModule,
      random: Math.random,
      env: process.env,
      cwd: dir,
    },
    ...text.request,
  };
  const emit = (event: EngineEvent): void => {
    events.push(event);
    text.onEvent?.(event);
  };
  const summary = await runPlaybooks(request, emit, text.signal ?? new AbortController().signal);
  return { summary, events };
}

/** "task host[item] status" of every ended task, in order of the hosts' names within a task. */
export function outcomes({ events }: PlaybookRun): string[] {
  const titles = new Map<number, string>();
  const lines: { readonly id: number; readonly text: string }[] = [];
  for (const event of events) {
    if (event.type === "task-start") titles.set(event.id, event.task);
    if (event.type !== "task-host") continue;
    const item = event.item === undefined ? "" : `[${event.item}]`;
    lines.push({ id: event.id, text: `${titles.get(event.id)} ${event.host}${item} ${event.status}` });
  }
  return lines
    .sort((a, b) => a.id - b.id || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ text }) => text);
}

export const shown = ({ events }: PlaybookRun): string[] =>
  events.flatMap((event) => (event.type === "show" ? [`${event.host}: ${event.text}`] : []));

export const failures = ({ events }: PlaybookRun): string[] =>
  events.flatMap((event) =>
    event.type === "task-host" && event.failure !== undefined ? [event.failure.message] : [],
  );
