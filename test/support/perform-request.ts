/** A task that is carried out for its own sake: nobody listens, nothing travels along. */
import type { PerformRequest } from "../../src/provisioning/engine/perform.ts";

export const aloneRequest: Omit<PerformRequest, "module" | "machine"> = {
  args: {},
  identity: { become: null, env: {}, key: "" },
  context: {} as PerformRequest["context"],
  check: false,
  stepTimeoutMs: 1,
  before: () => [],
  ahead: () => [],
  onStep: () => undefined,
  onLoss: () => undefined,
  onWait: () => undefined,
  onWaitFor: () => undefined,
};
