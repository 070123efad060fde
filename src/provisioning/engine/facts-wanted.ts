/**
 * Whether anything in a play may use facts: then they are asked for with the first message, at the play's start, as
 * Ansible would. What this overlooks (a file included later) is gathered when it is touched (facts-needed.ts).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PlayState } from "./play-state.ts";
import { requestFacts } from "./request-facts.ts";

/** Names with the prefix that are no facts. */
const notFacts =
  /^ansible_(host|port|user|password|connection|become\w*|ssh_\w+|private_key_file|python_interpreter|timeout|check_mode|diff_mode|version|play_\w+|playbook_\w+|role_name|parent_role_\w+|search_path|loop\w*|index_var|managed|limit|run_tags|skip_tags|inventory_sources|forks|verbosity|config_file|facts_parallel|failed_\w+|shell_\w+|group_priority|delegated_vars|dependent_role_names|host_key_checking|sudo_pass|su_pass|async_dir|verbosity)$/;

export const isNoFact = (name: string): boolean => notFacts.test(name);

const mentions = (text: string): boolean =>
  [...text.matchAll(/\bansible_\w+/g)].some(([name]) => !notFacts.test(name));

export function wantsFacts(state: PlayState): boolean {
  const { play, run, batch, frame } = state;
  const [first] = batch;
  if (first === undefined) return false;
  if (play.gatherFacts !== undefined && !state.flag(play.gatherFacts, first, frame)) return false;
  requestFacts(state);
  for (const host of batch) run.factsWanted.add(host.name);
  const { roles, ...own } = play;
  if (
    mentions(textOf(own)) ||
    roles.some(({ role, ...invocation }) => mentions(textOf(invocation)) || roleWants(role))
  ) {
    return true;
  }
  return [...run.inventory.groups.values(), ...run.inventory.hosts.values()].some(({ vars }) =>
    mentions(textOf([...vars.values()])),
  );
}

interface RoleLike {
  readonly dir: string;
  readonly tasks: unknown;
  readonly handlers: unknown;
  readonly defaults: unknown;
  readonly vars: unknown;
}

const kept = new WeakMap<object, boolean>();

function roleWants(role: RoleLike): boolean {
  const known = kept.get(role);
  if (known !== undefined) return known;
  const { tasks, handlers, defaults, vars } = role;
  const wants = mentions(textOf({ tasks, handlers, defaults, vars })) || templatesIn(role.dir).some(mentions);
  kept.set(role, wants);
  return wants;
}

/** Text of all scalars; places are left out, and roles are looked at once each. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === "span" || key === "origin" || key === "role" || key === "baseDir") return undefined;
    return part instanceof Map ? [...part.values()] : part;
  });
}

const templateLimitBytes = 1 << 20;

function templatesIn(dir: string): string[] {
  const folder = join(dir, "templates");
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8").slice(0, templateLimitBytes));
  } catch {
    // A role without templates: nothing there can mention a fact.
    return [];
  }
}
