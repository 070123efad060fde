import { z } from "zod";
import { idSchema, labelsSchema } from "./wire.ts";

const frameworkCapabilities = [
  "REVOCABLE_RESOURCES",
  "TASK_KILLING_STATE",
  "GPU_RESOURCES",
  "SHARED_RESOURCES",
  "PARTITION_AWARE",
  "MULTI_ROLE",
  "RESERVATION_REFINEMENT",
  "REGION_AWARE",
] as const;
export type FrameworkCapability = (typeof frameworkCapabilities)[number];

export const frameworkInfoSchema = z.object({
  user: z.string(),
  name: z.string(),
  id: idSchema.optional(),
  /** Seconds that the master waits for a disconnected framework before it kills its tasks. */
  failover_timeout: z.number().min(0).optional(),
  checkpoint: z.boolean().optional(),
  role: z.string().optional(),
  roles: z.array(z.string()).optional(),
  hostname: z.string().optional(),
  principal: z.string().optional(),
  webui_url: z.string().optional(),
  /** Of capabilities only `type` counts; unknown ones are kept for show. */
  capabilities: z.array(z.object({ type: z.string() })).optional(),
  labels: labelsSchema.optional(),
});
export type FrameworkInfo = z.infer<typeof frameworkInfoSchema>;

export const hasCapability = (info: FrameworkInfo, capability: FrameworkCapability): boolean =>
  info.capabilities?.some(({ type }) => type === capability) ?? false;

export const rolesOf = (info: FrameworkInfo): readonly string[] =>
  hasCapability(info, "MULTI_ROLE") ? [...new Set(info.roles ?? [])] : [info.role ?? "*"];
