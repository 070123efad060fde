/** What one task said on many hosts: a line a host that says how it ended, and below it what it said. */
import type { JsonObject } from "../../base/json.ts";
import type { EngineEvent } from "../engine/events.ts";
import { palette } from "./colour.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";
import {
  cleanText,
  connectFailureLines,
  diffLines,
  paintStatus,
  type TaskHostEvent,
  type TextStyle,
  taskHostDetails,
} from "./task-lines.ts";

export function outputReporter(options: ReporterOptions): Reporter {
  const style: TextStyle = { ...options, colours: palette(options.colour) };
  return {
    report: (event) => {
      const [head, ...body] = linesOf(event, style);
      if (head === undefined) return;
      const text = options.oneLine === true ? [[head, ...body].join("  ")] : [head, ...body];
      options.write(`${text.join("\n")}\n`);
    },
    close: async () => {},
  };
}

function linesOf(event: EngineEvent, style: TextStyle): readonly string[] {
  const { colours } = style;
  if (event.type === "connect" && event.state === "failed")
    return [colours.red(`${event.host}  cannot be reached`), ...connectFailureLines(event, style)];
  if (event.type === "warning") return [colours.yellow(`warning: ${cleanText(style, event.message)}`)];
  if (event.type !== "task-host" || event.item !== undefined) return [];
  const { rc } = event.result;
  const how =
    typeof rc === "number" && rc >= 0 && event.status !== "skipped" ? `exit code ${rc}` : event.status;
  const head = paintStatus(event.status, colours, `${event.host}  ${how}`);
  return [head, ...bodyOf(event, style), ...event.diffs.flatMap((diff) => diffLines(diff, style))];
}

/** The output of a command; of what failed without any, why; of a module, what it found. */
function bodyOf(event: TaskHostEvent, style: TextStyle): readonly string[] {
  const { rc, stdout, stderr } = event.result;
  const texts = [stdout, stderr].filter((text): text is string => typeof text === "string" && text !== "");
  // Ended by us: what it would have said at the end is not there.
  if (event.failure !== undefined && typeof rc === "number" && rc < 0)
    return taskHostDetails({ ...event, diffs: [] }, style);
  if (texts.length > 0) return texts.flatMap((text) => cleanText(style, text).trimEnd().split("\n"));
  if (event.failure !== undefined) return taskHostDetails({ ...event, diffs: [] }, style);
  const found = JSON.stringify(worthTelling(event.result), null, 2);
  return found === "{}" ? [] : cleanText(style, found).split("\n");
}

/** What the first line has not told. */
const said: ReadonlySet<string> = new Set([
  ..."changed failed skipped diff rc stdout stderr stdout_lines stderr_lines cmd delta start end".split(" "),
]);

const worthTelling = (result: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(result).filter(([key, value]) => !said.has(key) && value !== "" && value !== null),
  );
