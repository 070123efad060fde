/** Names that Ansible sets itself, and that nothing overrides. */
import { basename, dirname } from "node:path";
import type { JsonValue } from "../../base/json.ts";
import { groupNamesOf, hostsOfGroup } from "../inventory/group-order.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { Play } from "../playbook/model.ts";
import type { Variable } from "../vars/variable.ts";
import type { Frame } from "./frame.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import type { RunState } from "./run-state.ts";
import { dataVariable } from "./view.ts";

export interface MagicPlace {
  readonly run: RunState;
  readonly play: PlayState;
  readonly host: RunHost;
  readonly frame: Frame | undefined;
}

/** Those in `roles:`, and those that they depend on. */
function roleNames({ roles }: Play): {
  readonly own: readonly string[];
  readonly dependent: readonly string[];
} {
  const names = (isDependent: boolean) =>
    roles.filter(({ within }) => (within !== undefined) === isDependent).map(({ role }) => role.name);
  return { own: names(false), dependent: [...new Set(names(true))] };
}

interface PlayPlace {
  readonly run: RunState;
  readonly play: Play;
}

type Make<P> = (place: P) => JsonValue | undefined;

const names = (hosts: readonly RunHost[]): JsonValue => hosts.map(({ name }) => name);
const isAlive = ({ stop, isLost }: RunHost): boolean =>
  !isLost && (stop === undefined || (stop.why === "ended" && stop.isGone !== true));

/** The same for all hosts. */
const ofPlay: Readonly<Record<string, Make<PlayPlace>>> = {
  groups: ({ run }) => groupsOf(run.inventory),
  playbook_dir: ({ play }) => play.baseDir,
  ansible_play_name: ({ play }) => play.name,
  ansible_play_role_names: ({ play }) => roleNames(play).own,
  ansible_dependent_role_names: ({ play }) => roleNames(play).dependent,
  ansible_role_names: ({ play }) => {
    const { own, dependent } = roleNames(play);
    return [...new Set([...own, ...dependent])];
  },
  role_names: ({ play }) => roleNames(play).own,
  ansible_check_mode: ({ run }) => run.request.check,
  ansible_diff_mode: ({ run }) => run.request.diff,
  ansible_forks: ({ run }) => run.request.forks,
  ansible_verbosity: ({ run }) => run.request.verbosity,
  ansible_run_tags: ({ run }) => (run.request.tags.only.length === 0 ? ["all"] : run.request.tags.only),
  ansible_skip_tags: ({ run }) => run.request.tags.skip,
  ansible_limit: ({ run }) => run.request.limit?.join(","),
  ansible_inventory_sources: ({ run }) => run.inventory.sources,
  /** What of Ansible's language we speak: playbooks ask for a least version. */
  ansible_version: () => ({ full: "2.18.0", major: 2, minor: 18, revision: 0, string: "2.18.0" }),
};

const makers: Readonly<Record<string, Make<MagicPlace>>> = {
  inventory_hostname: ({ host }) => host.name,
  inventory_hostname_short: ({ host }) => host.name.split(".")[0] ?? host.name,
  group_names: ({ run, host }) => {
    const listed = run.inventory.hosts.get(host.name);
    return listed === undefined ? [] : groupNamesOf(run.inventory, listed);
  },
  inventory_dir: ({ run, host }) => directoryOf(sourceOf(run, host)),
  inventory_file: ({ run, host }) => sourceOf(run, host),
  play_hosts: ({ play }) => names(play.batch.filter(isAlive)),
  ansible_play_hosts: ({ play }) => names(play.allHosts.filter(isAlive)),
  ansible_play_hosts_all: ({ play }) => names(play.allHosts),
  ansible_play_batch: ({ play }) => names(play.batch.filter(isAlive)),
  role_name: ({ frame }) => {
    const role = frame?.roles.at(-1)?.role;
    return role === undefined ? undefined : basename(role.dir);
  },
  role_path: ({ frame }) => frame?.roles.at(-1)?.role.dir,
  ansible_role_name: ({ frame }) => frame?.roles.at(-1)?.role.name,
  ansible_parent_role_names: ({ frame }) =>
    (frame?.roles ?? [])
      .slice(0, -1)
      .reverse()
      .map(({ role }) => role.name),
  ansible_search_path: ({ play, frame }) => (frame === undefined ? [] : play.searchPath(undefined, frame)),
};

export const magicNames: readonly string[] = Object.keys({ ...ofPlay, ...makers });

export const magicVariable = (place: MagicPlace, name: string): Variable | undefined =>
  magicOfPlay({ run: place.run, play: place.play.play }, name) ?? made(makers, place, name);

/** Those that need no host. */
export function magicOfPlay(place: PlayPlace, name: string): Variable | undefined {
  const { extraMagic } = place.run.request;
  if (extraMagic !== undefined && Object.hasOwn(extraMagic, name)) {
    return dataVariable(extraMagic[name] ?? null, "magic");
  }
  return made(ofPlay, place, name);
}

function made<P>(makers: Readonly<Record<string, Make<P>>>, place: P, name: string): Variable | undefined {
  const value = Object.hasOwn(makers, name) ? makers[name]?.(place) : undefined;
  return value === undefined ? undefined : dataVariable(value, "magic");
}

const keptGroups = new WeakMap<Inventory, JsonValue>();

function groupsOf(inventory: Inventory): JsonValue {
  const known = keptGroups.get(inventory);
  if (known !== undefined) return known;
  const made = Object.fromEntries(
    [...inventory.groups.keys()].map((name) => [name, hostsOfGroup(inventory, name)]),
  );
  keptGroups.set(inventory, made);
  return made;
}

function sourceOf(run: RunState, host: RunHost): string | undefined {
  return (
    run.inventory.hosts.get(host.name)?.file ?? run.inventory.sources.find((source) => !source.includes(","))
  );
}

const directoryOf = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : dirname(file);
