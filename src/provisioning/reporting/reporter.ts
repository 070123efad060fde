/**
 * Engine events in, text out. A reporter sees the engine's event types and nothing else of it: it decides nothing,
 * and every text that leaves it has secrets masked and control characters stripped.
 *
 *   plain     one line an event worth telling: for logs and pipes
 *   terminal  listr2: what goes on now, one line each when done
 *   json      every event as one JSON object a line
 *   outputs   what one task said on each host: for exec and task
 */
import type { EngineEvent } from "../engine/events.ts";
import type { Masker } from "./printable.ts";

export interface Reporter {
  report(event: EngineEvent): void;
  /** Nothing is drawn from when it is settled until what it gives is called: a question stands on the screen. */
  hold?(): Promise<() => void>;
  /** What is still to be drawn is drawn. */
  close(): Promise<void>;
}

export interface ReporterOptions {
  readonly kind: "plain" | "terminal" | "json" | "outputs";
  /** Of outputs: one line a host. */
  readonly oneLine?: boolean;
  readonly write: (text: string) => void;
  readonly colour: boolean;
  /** Of the terminal: read anew each time, as windows are resized. */
  readonly columns: number;
  readonly verbosity: number;
  readonly profile: boolean;
  readonly cwd: string;
  /** Grows while the run goes: secrets are found as vault values are opened. */
  readonly mask: Masker;
}

export async function createReporter(options: ReporterOptions): Promise<Reporter> {
  if (options.kind === "json") {
    const { jsonReporter } = await import("./json-reporter.ts");
    return jsonReporter(options);
  }
  if (options.kind === "terminal") {
    const { terminalReporter } = await import("./terminal-reporter.ts");
    return terminalReporter(options);
  }
  if (options.kind === "outputs") {
    const { outputReporter } = await import("./output-reporter.ts");
    return outputReporter(options);
  }
  const { plainReporter } = await import("./plain-reporter.ts");
  return plainReporter(options);
}
