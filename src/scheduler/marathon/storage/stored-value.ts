/**
 * What is read back from the store, checked as far as decisions rest on it: a node that somebody else wrote to ends the
 * term with the node's name, instead of an app or an instance that is half there. Fields of a newer version are kept.
 */
import { z } from "zod";
import type { StoredValue } from "../../store.ts";

const text = z.string();
const optionalNumber = z.number().optional();

export const frameworkShape = z.looseObject({ id: text });
export const currentShape = z.looseObject({ version: text });
/** Its other fields passed the API's own checks before they were stored. */
export const definitionShape = z.looseObject({
  id: text,
  version: text,
  lastConfigChangeAt: text,
  instances: z.number(),
  dependencies: z.array(text),
});
export const groupShape = z.looseObject({ id: text, dependencies: z.array(text), version: text });
export const instanceShape = z.looseObject({
  id: text,
  appId: text,
  version: text,
  configVersion: text,
  agentId: text,
  host: text,
  attributes: z.record(text, text),
  hostPorts: z.array(z.number().nullable()),
  role: text,
  condition: z.enum(["launching", "staging", "starting", "running", "killing", "unreachable"]),
  goal: z.enum(["running", "stopped"]),
  stagedAt: z.number(),
  startedAt: optionalNumber,
  unreachableSince: optionalNumber,
  ipAddresses: z.array(text).optional(),
});
export const deploymentShape = z.looseObject({
  id: text,
  version: text,
  changes: z.array(z.looseObject({ app: text, from: text.optional(), to: text.optional() })),
  steps: z.array(z.array(z.looseObject({ action: text, app: text }))),
  currentStep: z.number(),
  toKill: z.array(text).optional(),
  reverts: text.optional(),
});

/** Throws with the key's name. */
export function readStored<T>(shape: z.ZodType, key: string, { value }: StoredValue): T {
  try {
    return shape.parse(JSON.parse(new TextDecoder().decode(value))) as T;
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? `${cause.issues[0]?.path.join(".")}: ${cause.issues[0]?.message}`
        : String(cause);
    throw new Error(`${key} in the store cannot be understood: ${why}`, { cause });
  }
}
