/** Takes markers of owed handlers off hosts, on a user's word: the handlers are not run. */
import type { Playbook } from "../playbook/model.ts";
import { becomeOf } from "./become.ts";
import { forEachAtMost } from "./concurrency.ts";
import type { EmitEvent } from "./events.ts";
import { identityOf, loginIdentity } from "./identity.ts";
import { markerKeyOf, type OwedFound, removeMarkers } from "./owed-handlers.ts";
import { outcomeOfError } from "./run-on-host.ts";
import { frameOf, hostsOf, playState } from "./run-play.ts";
import type { RunRequest } from "./run-request.ts";
import { RunState } from "./run-state.ts";

export interface Forgotten {
  readonly host: string;
  readonly handlers: readonly string[];
  readonly failure?: string;
}

/** `names` empty: all of them. The request's one play names the hosts. */
export async function forgetOwedHandlers(
  request: RunRequest,
  names: readonly string[],
  io: { readonly emit: EmitEvent; readonly signal: AbortSignal },
): Promise<readonly Forgotten[]> {
  const run = new RunState(request, io.emit, io.signal);
  const forgotten: Forgotten[] = [];
  try {
    for (const playbook of request.playbooks) forgotten.push(...(await forgetOn(run, playbook, names)));
  } finally {
    await run.machines.close();
  }
  return forgotten;
}

async function forgetOn(
  run: RunState,
  playbook: Playbook,
  names: readonly string[],
): Promise<readonly Forgotten[]> {
  const forgotten: Forgotten[] = [];
  for (const play of playbook.plays) {
    const hosts = hostsOf(run, play);
    const frame = frameOf(play);
    const place = { play, playbookFile: playbook.file };
    const state = playState(run, place, { batch: hosts, allHosts: hosts, frame, playVars: new Map() });
    await forEachAtMost(run.request.forks, hosts, async (host) => {
      try {
        const view = state.hostView(host);
        const machine = await run.machines.connected(
          host,
          state.connectionOf({ host, frame, task: play }, host, view),
        );
        const found = host.owedFound.filter(({ handler }) => names.length === 0 || names.includes(handler));
        const become = becomeOf(state, { task: play, frame, view, target: host, isDelegated: false });
        const root = identityOf(become?.user === "root" ? become : { user: "root", method: "sudo" }, {});
        const ofRoot = found.filter(({ byRoot }) => byRoot);
        const own = found.filter(({ byRoot }) => !byRoot);
        if (ofRoot.length > 0) await removeMarkers(machine, root, ofRoot.map(markerKeyOf));
        if (own.length > 0) await removeMarkers(machine, loginIdentity, own.map(markerKeyOf));
        forgotten.push({ host: host.name, handlers: found.map(shownName) });
      } catch (error) {
        const { failure } = outcomeOfError(error);
        forgotten.push({ host: host.name, handlers: [], failure: failure?.message ?? "unknown" });
      }
    });
  }
  return forgotten;
}

const shownName = ({ role, handler, playbook }: OwedFound): string =>
  `${role === "" ? handler : `${role} : ${handler}`} (${playbook})`;
