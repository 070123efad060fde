/** Who needs whom: an app needs what it names and what its groups name; naming a group means all that is in it. */
import type { AppDefinition, AppId } from "../model/app.ts";
import { isWithin } from "../model/path-id.ts";
import type { GroupRecord, MarathonState } from "./state.ts";

export function dependenciesOf(
  app: AppDefinition | undefined,
  groups: ReadonlyMap<AppId, GroupRecord>,
): readonly AppId[] {
  if (app === undefined) return [];
  const fromGroups = [...groups.values()]
    .filter((group) => group.id !== "/" && isWithin(app.id, group.id))
    .flatMap((group) => group.dependencies);
  return [...app.dependencies, ...fromGroups].filter((id) => id !== app.id);
}

/** Whether an app that changes needs itself, over however many others. */
export function hasCycle(
  state: Pick<MarathonState, "apps" | "groups">,
  changes: readonly { readonly to: AppDefinition | undefined }[],
): boolean {
  const members = new Map<AppId, readonly AppDefinition[]>();
  const membersOf = (id: AppId): readonly AppDefinition[] => {
    const known = members.get(id);
    if (known !== undefined) return known;
    const app = state.apps.get(id);
    const found = app ? [app] : [...state.apps.values()].filter((one) => isWithin(one.id, id));
    members.set(id, found);
    return found;
  };
  const done = new Set<AppId>();
  // Depth first, without recursion: a chain may be as long as there are apps.
  const isOnCycle = (start: AppDefinition): boolean => {
    if (start.dependencies.includes(start.id)) return true;
    const seen = new Set<AppId>();
    const open = [start];
    for (let app = open.pop(); app !== undefined; app = open.pop()) {
      for (const dependency of dependenciesOf(app, state.groups)) {
        for (const needed of membersOf(dependency)) {
          if (needed.id === start.id && app.id !== start.id) return true;
          if (needed.id === app.id || seen.has(needed.id) || done.has(needed.id)) continue;
          seen.add(needed.id);
          open.push(needed);
        }
      }
    }
    done.add(start.id);
    return false;
  };
  return changes.some(({ to }) => to !== undefined && isOnCycle(to));
}
