/** A resource and an attribute as the wire has them; the arithmetic is in `resources.ts`. */
import { z } from "zod";
import { integerSchema, labelsSchema } from "./wire.ts";

const scalarSchema = z.object({ value: z.number() });
const rangesSchema = z.object({
  range: z.array(z.object({ begin: integerSchema, end: integerSchema })).default([]),
});
const setSchema = z.object({ item: z.array(z.string()).default([]) });

const reservationSchema = z.object({
  type: z.enum(["STATIC", "DYNAMIC"]).optional(),
  role: z.string().optional(),
  principal: z.string().optional(),
  labels: labelsSchema.optional(),
});

export const resourceSchema = z.object({
  name: z.string().min(1),
  type: z.enum(["SCALAR", "RANGES", "SET"]),
  scalar: scalarSchema.optional(),
  ranges: rangesSchema.optional(),
  set: setSchema.optional(),
  role: z.string().optional(),
  allocation_info: z.object({ role: z.string().optional() }).optional(),
  reservation: reservationSchema.optional(),
  reservations: z.array(reservationSchema).optional(),
  disk: z.record(z.string(), z.unknown()).optional(),
  revocable: z.record(z.string(), z.unknown()).optional(),
  shared: z.record(z.string(), z.unknown()).optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

export const attributeSchema = z.object({
  name: z.string().min(1),
  type: z.enum(["SCALAR", "RANGES", "SET", "TEXT"]),
  scalar: scalarSchema.optional(),
  ranges: rangesSchema.optional(),
  set: setSchema.optional(),
  text: z.object({ value: z.string() }).optional(),
});
export type Attribute = z.infer<typeof attributeSchema>;
