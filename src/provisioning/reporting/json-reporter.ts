/** Newline-delimited JSON: one object an event, errors as their fields. */
import { ProvisionError } from "../../base/errors.ts";
import { stripControls } from "./printable.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";

export function jsonReporter({ write, mask }: Pick<ReporterOptions, "write" | "mask">): Reporter {
  return {
    report: (event) => write(`${JSON.stringify(event, plainValue(mask))}\n`),
    close: async () => {},
  };
}

const plainValue =
  (mask: (text: string) => string) =>
  (_key: string, value: unknown): unknown => {
    if (typeof value === "string") return mask(stripControls(value));
    if (!(value instanceof ProvisionError)) return value;
    const { code, message, span, why, fix, also } = value;
    return { code, message, span, why, fix, also };
  };
