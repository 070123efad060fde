/** Newline-delimited JSON: one object an event, errors as their fields. */
import { ProvisionError } from "../../base/errors.ts";
import { hidePasswords } from "./hide-passwords.ts";
import { maskSecrets, stripControls } from "./printable.ts";
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
    if (span?.sourceLine === undefined) return { code, message, span, why, fix, also };
    const { line, found } = hidePasswords(span.sourceLine);
    const hide = maskSecrets(found);
    return {
      code,
      message: hide(message),
      span: { ...span, sourceLine: line },
      why,
      fix: fix && hide(fix),
      also,
    };
  };
