/** What a framework may say to `POST /api/v1/scheduler`. */
import { z } from "zod";
import { frameworkInfoSchema } from "./framework.ts";
import { filtersSchema } from "./offer.ts";
import { resourceSchema } from "./resource.ts";
import { executorSchema, killPolicySchema, taskInfoSchema } from "./task.ts";
import { idSchema } from "./wire.ts";

const resources = z.array(resourceSchema).default([]);

const operationSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("LAUNCH"),
    launch: z.object({ task_infos: z.array(taskInfoSchema).default([]) }),
  }),
  z.object({
    type: z.literal("LAUNCH_GROUP"),
    launch_group: z.object({
      executor: executorSchema,
      task_group: z.object({ tasks: z.array(taskInfoSchema).default([]) }),
    }),
  }),
  z.object({ type: z.literal("RESERVE"), reserve: z.object({ resources }) }),
  z.object({ type: z.literal("UNRESERVE"), unreserve: z.object({ resources }) }),
  z.object({ type: z.literal("CREATE"), create: z.object({ volumes: resources }) }),
  z.object({ type: z.literal("DESTROY"), destroy: z.object({ volumes: resources }) }),
]);
export type Operation = z.infer<typeof operationSchema>;

const offerIds = z.array(idSchema).default([]);
/** Set on every call but a first SUBSCRIBE. */
const framework_id = idSchema;
const roles = z.object({ roles: z.array(z.string()).optional() }).optional();

export const schedulerCallSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("SUBSCRIBE"),
    framework_id: framework_id.optional(),
    subscribe: z.object({
      framework_info: frameworkInfoSchema,
      suppressed_roles: z.array(z.string()).optional(),
    }),
  }),
  z.object({ type: z.literal("TEARDOWN"), framework_id }),
  z.object({
    type: z.literal("ACCEPT"),
    framework_id,
    accept: z.object({
      offer_ids: offerIds,
      operations: z.array(operationSchema).default([]),
      filters: filtersSchema.optional(),
    }),
  }),
  z.object({
    type: z.literal("DECLINE"),
    framework_id,
    decline: z.object({ offer_ids: offerIds, filters: filtersSchema.optional() }),
  }),
  z.object({ type: z.literal("ACCEPT_INVERSE_OFFERS"), framework_id }),
  z.object({ type: z.literal("DECLINE_INVERSE_OFFERS"), framework_id }),
  z.object({ type: z.literal("REVIVE"), framework_id, revive: roles }),
  z.object({ type: z.literal("SUPPRESS"), framework_id, suppress: roles }),
  z.object({
    type: z.literal("KILL"),
    framework_id,
    kill: z.object({
      task_id: idSchema,
      agent_id: idSchema.optional(),
      kill_policy: killPolicySchema.optional(),
    }),
  }),
  z.object({
    type: z.literal("SHUTDOWN"),
    framework_id,
    shutdown: z.object({ executor_id: idSchema, agent_id: idSchema }),
  }),
  z.object({
    type: z.literal("ACKNOWLEDGE"),
    framework_id,
    acknowledge: z.object({ agent_id: idSchema, task_id: idSchema, uuid: z.string() }),
  }),
  z.object({ type: z.literal("ACKNOWLEDGE_OPERATION_STATUS"), framework_id }),
  z.object({
    type: z.literal("RECONCILE"),
    framework_id,
    reconcile: z.object({
      tasks: z.array(z.object({ task_id: idSchema, agent_id: idSchema.optional() })).default([]),
    }),
  }),
  z.object({ type: z.literal("RECONCILE_OPERATIONS"), framework_id }),
  z.object({
    type: z.literal("MESSAGE"),
    framework_id,
    message: z.object({ agent_id: idSchema, executor_id: idSchema, data: z.string() }),
  }),
  z.object({ type: z.literal("REQUEST"), framework_id }),
  z.object({
    type: z.literal("UPDATE_FRAMEWORK"),
    framework_id,
    update_framework: z.object({
      framework_info: frameworkInfoSchema,
      suppressed_roles: z.array(z.string()).optional(),
    }),
  }),
]);
export type SchedulerCall = z.infer<typeof schedulerCallSchema>;
