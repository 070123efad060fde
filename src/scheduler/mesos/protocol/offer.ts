import { z } from "zod";
import { attributeSchema, resourceSchema } from "./resource.ts";
import { idSchema, integerSchema } from "./wire.ts";

export const addressSchema = z.object({
  hostname: z.string().optional(),
  ip: z.string().optional(),
  port: integerSchema,
});
export type Address = z.infer<typeof addressSchema>;

const timeSchema = z.object({ nanoseconds: integerSchema });
const unavailabilitySchema = z.object({ start: timeSchema, duration: timeSchema.optional() });

export const offerSchema = z.object({
  id: idSchema,
  framework_id: idSchema,
  agent_id: idSchema,
  hostname: z.string(),
  url: z.object({ scheme: z.string(), address: addressSchema, path: z.string().optional() }).optional(),
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).optional(),
  executor_ids: z.array(idSchema).optional(),
  unavailability: unavailabilitySchema.optional(),
  allocation_info: z.object({ role: z.string().optional() }).optional(),
});
export type Offer = z.infer<typeof offerSchema>;

export const filtersSchema = z.object({ refuse_seconds: z.number().optional() });
export type Filters = z.infer<typeof filtersSchema>;
