/** An error as a daemon's log shows it: the sentence and what to do; a stack only for a defect. */
import { ProvisionError } from "../../base/errors.ts";

export function errorText(error: unknown): string {
  if (!(error instanceof ProvisionError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = [`error[${error.code}]: ${error.message}`];
  if (error.why !== undefined) lines.push(`  why: ${error.why}`);
  if (error.fix !== undefined) lines.push(`  fix: ${error.fix}`);
  return [...lines, ...error.also.map(errorText)].join("\n");
}
