/** A flush: the notified handlers, each once, in the order of their definition, asked now and never before (R9). */
import { ProvisionError } from "../../base/errors.ts";
import type { Block } from "../playbook/model.ts";
import type { Ahead } from "./frame.ts";
import { limits } from "./limits.ts";
import { forgetOwed } from "./owed-handlers.ts";
import type { Handler, PlayState } from "./play-state.ts";
import type { RunHost, Stop } from "./run-host.ts";
import type { Walker } from "./walker.ts";

export async function flushHandlers(walker: Walker, hosts: readonly RunHost[], then?: Ahead): Promise<void> {
  const { play } = walker;
  await forgetInVain(play, hosts);
  const forced = play.forceHandlers ? hosts.filter(({ stop }) => stop?.why === "failed") : [];
  const stops = new Map<RunHost, Stop | undefined>(forced.map((host) => [host, host.stop]));
  for (const host of forced) host.stop = undefined;
  for (let pass = 0; pass < limits.handlerPasses; pass++) {
    // A handler may notify one that was defined before it.
    if (!hosts.some((host) => host.isActive && host.notified.size > 0)) break;
    await onePass(walker, hosts, then);
  }
  for (const [host, stop] of stops) host.stop ??= stop;
}

async function forgetInVain(play: PlayState, hosts: readonly RunHost[]): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      const inVain = [...host.owedInVain].filter(
        (handler) => !host.notified.has(handler) && !host.owedHere.has(handler),
      );
      host.owedInVain.clear();
      if (inVain.length === 0 || host.stop?.why === "unreachable" || play.run.isInterrupted) return;
      await forget(play, host, inVain);
    }),
  );
}

/** A marker stays where the host cannot be told: the handler runs once too often, never once too few. */
const forget = (play: PlayState, host: RunHost, handlers: readonly Handler[]): Promise<void> =>
  forgetOwed(play, host, handlers).catch((error: unknown) => {
    if (!(error instanceof ProvisionError)) throw error;
  });

async function onePass(walker: Walker, hosts: readonly RunHost[], then: Ahead | undefined): Promise<void> {
  const { play } = walker;
  const ran = new Map<RunHost, Handler[]>();
  for (const { handler, frame } of play.handlers) {
    const due = hosts.filter((host) => host.isActive && host.notified.has(handler));
    const [first] = due;
    if (first === undefined || play.run.isInterrupted) continue;
    for (const host of due) {
      host.notified.delete(handler);
      host.owedHere.delete(handler);
    }
    const unrolled = handler.kind === "block" ? withoutRolling(handler) : handler;
    const run = (wave: readonly RunHost[]): Promise<void> => walker.statements([unrolled], wave, frame, then);
    const rolling = handler.kind === "include-tasks" ? undefined : handler.rolling;
    if (rolling === undefined) await run(due);
    else {
      const size = play.wholeNumber(rolling, first, frame, "rolling");
      const title = play.handlerTitle(handler, play.view(first, frame, handler));
      await walker.inWaves(due, size, title, run);
    }
    for (const host of due) if (host.stop === undefined) ran.set(host, [...(ran.get(host) ?? []), handler]);
  }
  if (play.run.request.check) return;
  await Promise.all([...ran].map(([host, handlers]) => forget(play, host, handlers)));
}

const withoutRolling = ({ rolling: _waves, ...block }: Block): Block => block;
