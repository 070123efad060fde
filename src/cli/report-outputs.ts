/** The output of one command on many hosts: a line that says how it ended, and below it what it said. */
import type { ProvisionError } from "../base/errors.ts";
import type { EngineEvent } from "../provisioning/engine/events.ts";
import { runPlaybooks } from "../provisioning/engine/run-playbooks.ts";
import { palette } from "../provisioning/reporting/colour.ts";
import { formatError } from "../provisioning/reporting/format-error.ts";
import { stripControls } from "../provisioning/reporting/printable.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";
import type { Prepared } from "./prepare-run.ts";
import { reportRun } from "./report-run.ts";

export async function reportOutputs(prepared: Prepared, options: ParsedOptions, io: CliIo): Promise<number> {
  if (options.has("json")) return reportRun(prepared, options, io);
  const summary = await runPlaybooks(prepared.request, (event) => tell(event, options, io), io.signal);
  return summary.exitCode;
}

function tell(event: EngineEvent, options: ParsedOptions, io: CliIo): void {
  const colours = palette(io.colour && !options.has("no-color"));
  if (event.type === "connect" && event.state === "failed") {
    const detail = event.error === undefined ? stripControls(event.message ?? "") : told(event.error, io);
    io.stdout(`${colours.red(`${event.host}  cannot be reached`)}\n${detail}\n`);
    return;
  }
  if (event.type !== "task-host" || event.item !== undefined) return;
  const { rc, stdout, stderr, msg } = event.result;
  const isBad = event.failure !== undefined;
  const how = typeof rc === "number" ? `exit code ${rc}` : event.status;
  io.stdout(`${(isBad ? colours.red : colours.green)(`${event.host}  ${how}`)}\n`);
  const texts = [stdout, stderr].filter((text): text is string => typeof text === "string" && text !== "");
  for (const text of texts) io.stdout(`${stripControls(text).trimEnd()}\n`);
  if (texts.length > 0 || !isBad) return;
  const { error, message } = event.failure ?? {};
  io.stdout(`${error === undefined ? (message ?? String(msg ?? "")) : told(error, io)}\n`);
}

const told = (error: ProvisionError, io: CliIo): string =>
  formatError(error, { colour: io.colour, cwd: io.cwd });
