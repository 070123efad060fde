/** Tells listeners what has become of an instance. */
import type { Instance } from "../model/instance.ts";
import type { Draft } from "./draft.ts";

export function tellChange(draft: Draft, instance: Instance, condition: string): void {
  draft.tell("instance_changed_event", {
    instanceId: instance.id,
    condition: condition.charAt(0).toUpperCase() + condition.slice(1).toLowerCase(),
    goal: instance.goal === "running" ? "Running" : "Decommissioned",
    runSpecId: instance.appId,
    agentId: instance.agentId,
    host: instance.host,
    runSpecVersion: instance.version,
  });
}
