/** Runs a random playbook in a small world, and tells all that came of it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineEvent } from "../../src/provisioning/engine/events.ts";
import { type Loss, losing } from "./lost-connections.ts";
import { filesOf, inventoryOf, playbookText } from "./random-playbook-text.ts";
import type { RandomPlaybook } from "./random-playbooks.ts";
import { type PlaybookRun, runText } from "./run-playbook.ts";
import { type MachineName, makeWorld, type SmallWorld } from "./small-world.ts";

export interface Ended {
  readonly stories: Readonly<Record<string, readonly string[]>>;
  readonly recap: readonly object[];
  readonly exit: number;
  readonly stopped: string | undefined;
  readonly world: Readonly<Record<string, string>>;
}

/** Each host's own story: under `free` the hosts' stories have no order among them. */
function storyOf({ events, summary }: PlaybookRun): Omit<Ended, "world"> {
  const titles = new Map<number, string>();
  const stories: Record<string, string[]> = {};
  const tell = (host: string, what: string): void => {
    stories[host] = [...(stories[host] ?? []), what];
  };
  for (const event of events) {
    if (event.type === "task-start")
      titles.set(event.id, `${event.task} (${event.place.replace(/^.*:/, "")})`);
    if (event.type === "show") tell(event.host, event.text);
    if (event.type !== "task-host") continue;
    const item = event.item === undefined ? "" : `[${event.item}]`;
    tell(
      event.host,
      `${titles.get(event.id)}${item} ${event.status} ${event.failure?.message.split("\n")[0] ?? ""}`,
    );
  }
  const recap = summary.recap.map(({ elapsedMs: _time, roundTrips: _trips, ...counts }) => counts);
  return { stories, recap, exit: summary.exitCode, stopped: summary.stopped };
}

/** "outside MACHINE NAME CONTENT": somebody else writes, while the run pauses. */
const outside =
  (world: SmallWorld) =>
  (event: EngineEvent): void => {
    if (event.type !== "task-start" || !event.task.startsWith("outside ")) return;
    const [, machine, name = "", content = ""] = event.task.split(" ");
    try {
      writeFileSync(join(world.folderOf(machine as MachineName), name), content);
    } catch {
      // There is a folder of that name.
    }
  };

export async function end(
  each: RandomPlaybook,
  askAhead: boolean,
  losses: readonly Loss[] = [],
): Promise<Ended> {
  const world = await makeWorld();
  try {
    const ran = await runText({
      playbook: playbookText(each),
      files: filesOf(each),
      inventory: inventoryOf(each),
      extraVars: [`d=${world.d}`, `sh=${world.shared}`],
      openSession: losing(world.openSession, losses),
      onEvent: outside(world),
      request: { askAhead, check: each.check },
    });
    const ended = { ...storyOf(ran), world: world.snapshot() };
    // Messages name the folder of the world, and jobs their id.
    return JSON.parse(
      JSON.stringify(ended)
        .replaceAll(join(world.d, ".."), "WORLD")
        .replace(/provision-engine-\w{6}/g, "FOLDER")
        .replace(/\bj\d{13}\.\d+/g, "JOB"),
    );
  } finally {
    world.remove();
  }
}
