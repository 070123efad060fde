/**
 * The words of Mesos's v1 API: what goes over the wire between frameworks, masters and agents, as zod schemas and the
 * types that follow from them.
 *
 * Belongs here: schemas, codecs, the arithmetic of resources. JSON comes in through `parseWire` (nulls are ignored,
 * unknown fields dropped), goes through the daemons' `decide`, and leaves as the same shapes. Not here: any decision,
 * any I/O.
 */
import { z } from "zod";

/** `{"value": "…"}`: every id of the API. */
export const idSchema = z.object({ value: z.string().min(1).max(1024) });
export type Id = z.infer<typeof idSchema>;
export const id = (value: string): Id => ({ value });

/** Protobuf's JSON writes 64-bit integers as strings, Mesos's own writes numbers: both are read. */
export const integerSchema = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number),
]);

const maxIdBytes = 255;

/** Mesos's rule for the ids that frameworks give: they become names of folders. */
export const isUsableId = (id: string): boolean =>
  Buffer.byteLength(id) <= maxIdBytes && !/^\.{0,2}$|[\p{Cc}/\\]/u.test(id);

export const labelsSchema = z.object({
  labels: z.array(z.object({ key: z.string(), value: z.string().optional() })).default([]),
});
export type Labels = z.infer<typeof labelsSchema>;

/** A duration as Mesos puts it on the wire. */
export const durationSchema = z.object({ nanoseconds: integerSchema });

export const nanosecondsToMs = (nanoseconds: number): number => nanoseconds / 1e6;

export class WireError extends Error {
  override readonly name = "WireError";
}

/** Reads outside JSON by a schema. A misfit throws WireError with one sentence that names the field. */
export function parseWire<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  throw new WireError(`${path === "" ? "the message" : `'${path}'`}: ${issue?.message ?? "not valid"}`);
}

function safeParse<T>(schema: z.ZodType<T>, value: unknown): z.ZodSafeParseResult<T> {
  try {
    return schema.safeParse(withoutNulls(value));
  } catch (cause) {
    // Nested so deeply that the stack is too short for it.
    if (cause instanceof RangeError) throw new WireError("the message is nested too deeply");
    throw cause;
  }
}

/** JSON nulls mean "not set" in Mesos's API. Values without any are returned as they are. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  const kept = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutNulls(field)]));
}
