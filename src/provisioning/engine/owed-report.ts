/** Handlers owed from an earlier run: joined to the notified ones, shown, or reported when nobody defines them any more. */

import { becomeOf } from "./become.ts";
import { type Identity, identityOf, loginIdentity } from "./identity.ts";
import type { Machine } from "./machine.ts";
import { markerKeyOf, noteOf, type OwedFound, playbookKey } from "./owed-handlers.ts";
import type { HandlerEntry, PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import type { RunState } from "./run-state.ts";

/** At the start of a play: owed handlers that it defines are shown, and wait for `takeUpOwed`. */
export function joinOwed(state: PlayState, host: RunHost, machine: Machine): void {
  const mine = host.owedFound.filter(({ playbook }) => playbook === playbookKey(state.playbookFile));
  const joined: OwedFound[] = [];
  for (const found of mine) {
    const key = markerKeyOf(found);
    const entry = state.handlers.find(({ handler }) => markerKeyOf(noteOf(state, handler)) === key);
    if (entry === undefined) continue;
    host.owedHere.add(entry.handler);
    host.owed.set(key, {
      key,
      identity: found.byRoot ? rootIdentity(state, host, entry) : loginIdentity,
      machine,
      isSure: true,
    });
    joined.push(found);
  }
  host.owedFound = host.owedFound.filter((found) => !joined.includes(found));
  if (joined.length === 0) return;
  const handlers = joined.map(({ role, handler }) => (role === "" ? handler : `${role} : ${handler}`));
  state.run.emit({ type: "owed-handlers", host: host.name, handlers });
}

/**
 * After pre_tasks: no handler that fails as the configuration stands may keep the play from mending the configuration,
 * so none runs before the first tasks that could.
 */
export function takeUpOwed(host: RunHost): void {
  for (const handler of host.owedHere) host.notified.add(handler);
  host.owedHere.clear();
}

/** The way to root that the handler itself takes, else plain sudo. */
function rootIdentity(state: PlayState, host: RunHost, { handler, frame }: HandlerEntry): Identity {
  const view = state.view(host, frame, handler);
  const own = becomeOf(state, { task: handler, frame, view, target: host, isDelegated: false });
  return identityOf(own?.user === "root" ? own : { user: "root", method: "sudo" }, {});
}

/** At the end: what a playbook of this run owes, and no play of it defines. */
export function reportOwed(run: RunState): void {
  const ran = new Set(run.request.playbooks.map(({ file }) => playbookKey(file)));
  for (const host of run.hosts()) {
    for (const { playbook, role, handler } of host.owedFound) {
      if (!ran.has(playbook)) continue;
      const name = role === "" ? handler : `${role} : ${handler}`;
      run.warn(
        `${host.name} still owes handler "${name}", which ${playbook} does not define any more: ` +
          `provision forget INVENTORY --limit ${host.name} "${handler}"`,
      );
    }
  }
}
