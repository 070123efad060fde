/** The first message to a machine: base facts, network mounts, owed handlers and, where something uses them, facts. */
import { ProvisionError } from "../../base/errors.ts";
import { baseFactsScript, readBaseFacts } from "../host/base-facts.ts";
import type { Become, Frame, FrameResult } from "../transport/session.ts";
import { becomeOf } from "./become.ts";
import { forEachAtMost } from "./concurrency.ts";
import { FactsNeeded } from "./facts-needed.ts";
import type { Ahead } from "./frame.ts";
import { factsFrames, learnFacts, type PlayFacts, readFactsFrames, wholeRequest } from "./gather.ts";
import { loginIdentity } from "./identity.ts";
import { limits } from "./limits.ts";
import { lookFromStart } from "./look-ahead.ts";
import type { Machine } from "./machine.ts";
import { type Greeting, saidBy } from "./machines.ts";
import { owedListScript, readOwed } from "./owed-handlers.ts";
import { joinOwed } from "./owed-report.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import type { RunState } from "./run-state.ts";
import { readSharedMounts, sharedMountsScript } from "./shared-mounts.ts";
import type { View } from "./view.ts";

/**
 * The host's name tells clones of one image apart, which share a machine-id. Where there is no machine-id, the running
 * kernel and its mount namespace say which machine it is.
 */
const worldScript = `uname -n
[ -s /etc/machine-id ] || { read -r b </proc/sys/kernel/random/boot_id && printf 'kernel %s %s\\n' "$b" "$(readlink /proc/self/ns/mnt)"; }
${sharedMountsScript}`;

const ask = (script: string): Frame => ({ kind: "ask", script, timeoutMs: limits.questionTimeoutMs });

export async function greet(run: RunState, machine: Machine, host: RunHost): Promise<Greeting> {
  const wantsFacts = run.factsAtFirst.has(host.name);
  const request = run.factRequests.get(host.name) ?? wholeRequest;
  const base = baseFactsScript();
  const byLogin = wantsFacts && request.identity.key === loginIdentity.key;
  const frames = [
    ask(base.script),
    ask(worldScript),
    ask(owedListScript),
    ...(byLogin ? factsFrames(request) : []),
  ];
  machine.openShell(run.becomesAtFirst.get(host.name));
  const [results, early] = await Promise.all([
    machine.run(loginIdentity, frames),
    askEarly(run, machine, { host, facts: wantsFacts && !byLogin ? request : undefined }),
  ]);
  const [baseResult, worldResult, owedResult, ...own] = results;
  const factsResults = byLogin ? own : early;
  const facts = readBaseFacts(answered(baseResult).stdout);
  const [name = "", ...lines] = new TextDecoder().decode(answered(worldResult).stdout).split("\n");
  const kernel = lines.find((line) => line.startsWith("kernel "));
  const id = facts.machineId ?? kernel;
  host.owedFound = readOwed(answered(owedResult).stdout);
  // Where whom the play becomes could not tell them, they come when a task needs them, which tells why.
  if (factsResults.length > 0) learnFacts(host, request, readFactsFrames(factsResults, run.clock.now()));
  return {
    base: facts,
    identity: id === undefined ? `${host.name} alone` : `${id} ${name}`,
    sharedMounts: readSharedMounts(lines),
  };
}

interface Early {
  readonly host: RunHost;
  readonly facts: PlayFacts | undefined;
}

/** Questions once: a host that is greeted again is in the middle of a play. */
async function askEarly(
  run: RunState,
  machine: Machine,
  { host, facts }: Early,
): Promise<readonly FrameResult[]> {
  const look = machine.isMet ? undefined : run.asksAtFirst.get(host.name);
  run.asksAtFirst.delete(host.name);
  if (look === undefined && facts === undefined) return [];
  try {
    await machine.session();
    const asked = (await look?.(machine)) ?? [];
    return await machine.askEarly(asked, facts && { identity: facts.identity, frames: factsFrames(facts) });
  } catch (error) {
    // R5: whatever is wrong with the connection is told by the message beside it.
    if (!(error instanceof ProvisionError)) throw error;
    return [];
  }
}

function answered(result: FrameResult | undefined): FrameResult {
  if (result !== undefined && !result.timedOut) return result;
  throw new ProvisionError({
    code: "host-timeout",
    action: "learn what the host is",
    state: "it did not answer in time",
  });
}

export interface Start {
  readonly wantsFacts: boolean;
  /** What the play begins with. */
  readonly start: Ahead | undefined;
  readonly hasModules: Promise<void>;
}

/** Connects every host of a batch at once; those that cannot be reached are out before the first task. */
export async function greetAll(state: PlayState, { wantsFacts, start, hasModules }: Start): Promise<void> {
  const { run, batch, frame, play } = state;
  if (wantsFacts) for (const host of batch) run.factsAtFirst.add(host.name);
  if (startsElsewhere(state)) return;
  await forEachAtMost(run.request.forks, batch, async (host) => {
    try {
      const view = state.hostView(host);
      const where = { host, frame, task: play };
      run.becomesAtFirst.set(host.name, becomeAtFirst(state, host, view));
      if (start !== undefined) {
        run.asksAtFirst.set(host.name, async (machine) => {
          await hasModules;
          return lookFromStart(state, host, machine, start);
        });
      }
      const plan = told(state, host, () => state.connectionOf(where, host, view));
      const machine = await run.machines.connected(host, plan);
      joinOwed(state, host, machine);
    } catch (error) {
      refuse(state, host, error);
    }
  });
}

/** A way to the host that cannot be read: machines tell of the connections that they open, this one is never begun. */
function told<T>({ run }: PlayState, host: RunHost, work: () => T): T {
  try {
    return work();
  } catch (error) {
    run.emit({ type: "connect", host: host.name, state: "failed", elapsedMs: 0, ...saidBy(error) });
    throw error;
  }
}

/** Root's shell, when the play as a whole becomes root: it opens while the first message is on its way. */
function becomeAtFirst(state: PlayState, host: RunHost, view: View): Become | undefined {
  try {
    const request = { task: state.play, frame: state.frame, view, target: host, isDelegated: false };
    const become = becomeOf(state, request);
    return become?.user === "root" ? become : undefined;
  } catch (error) {
    // Only a hint: a task that becomes somebody says what is wrong.
    if (error instanceof ProvisionError || error instanceof FactsNeeded) return undefined;
    throw error;
  }
}

/** The play begins by waiting for its hosts, or on another machine: it connects when a task needs to. */
function startsElsewhere({ play }: PlayState): boolean {
  const [first] = [...play.preTasks, ...play.roles.flatMap(({ role }) => role.tasks), ...play.tasks];
  if (first?.kind !== "task" || play.gatherFacts === undefined) return false;
  return (
    first.module === "wait_for_connection" || first.delegateTo !== undefined || first.connection !== undefined
  );
}

/** Whatever keeps a host from its first task was told as a host that cannot be reached, and counts as one. */
function refuse({ run }: PlayState, host: RunHost, error: unknown): void {
  if (!(error instanceof ProvisionError)) throw error;
  host.count("unreachable");
  host.stop = { why: "unreachable" };
  run.noteFailed(host, "unreachable");
}
