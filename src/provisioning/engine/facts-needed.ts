/** Facts on demand: an expression that touches a fact which was not gathered stops, the facts come, it starts again. */

import { gatherOnDemand } from "./gather.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";

export class FactsNeeded extends Error {
  readonly host: RunHost;
  constructor(host: RunHost) {
    super(`the facts of ${host.name} are needed`);
    this.host = host;
  }
}

/** As many times as there are hosts whose facts are needed. */
export async function withFacts<T>(play: PlayState, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof FactsNeeded)) throw error;
      await gatherOnDemand(play, error.host);
    }
  }
}
