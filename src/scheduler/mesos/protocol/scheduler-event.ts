/** What a master says to a framework on its RecordIO stream. */
import { z } from "zod";
import { masterInfoSchema } from "./master-info.ts";
import { offerSchema } from "./offer.ts";
import { taskStatusSchema } from "./task.ts";
import { idSchema } from "./wire.ts";

export const schedulerEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("SUBSCRIBED"),
    subscribed: z.object({
      framework_id: idSchema,
      heartbeat_interval_seconds: z.number().optional(),
      master_info: masterInfoSchema.optional(),
    }),
  }),
  z.object({ type: z.literal("OFFERS"), offers: z.object({ offers: z.array(offerSchema).default([]) }) }),
  z.object({ type: z.literal("RESCIND"), rescind: z.object({ offer_id: idSchema }) }),
  z.object({ type: z.literal("UPDATE"), update: z.object({ status: taskStatusSchema }) }),
  z.object({
    type: z.literal("MESSAGE"),
    message: z.object({ agent_id: idSchema, executor_id: idSchema, data: z.string() }),
  }),
  z.object({
    type: z.literal("FAILURE"),
    failure: z.object({
      agent_id: idSchema.optional(),
      executor_id: idSchema.optional(),
      status: z.int().optional(),
    }),
  }),
  z.object({ type: z.literal("ERROR"), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal("HEARTBEAT") }),
]);
export type SchedulerEvent = z.infer<typeof schedulerEventSchema>;

/** Events of an Apache Mesos that a framework here does not use, and must not stumble over. */
export const ignoredEventTypes: ReadonlySet<string> = new Set([
  "INVERSE_OFFERS",
  "RESCIND_INVERSE_OFFER",
  "UPDATE_OPERATION_STATUS",
]);
