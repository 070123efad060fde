/** The last lines of a run: what happened on each host, what stopped it, and where the time went. */
import type { EngineEvent, HostRecap } from "../engine/events.ts";
import { fittedName } from "./fit-text.ts";
import { cleanText, ms, type TextStyle } from "./task-lines.ts";

type RunEnd = Extract<EngineEvent, { type: "run-end" }>;

const columns = ["ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"] as const;
/** Always shown; the others only where a host has some. */
const constant: ReadonlySet<string> = new Set(["ok", "changed", "failed"]);

/** `width`: of the terminal; a log's lines may be as long as they are. */
export function recapLines(event: RunEnd, style: TextStyle, width = Number.POSITIVE_INFINITY): string[] {
  const lines = event.recap.length === 0 ? [] : table(event.recap, style, width);
  if (event.stopped !== undefined && event.exitCode !== interruptedCode)
    lines.push(cleanText(style, event.stopped));
  return [...lines, `${endWord(event, style)} in ${ms(event.elapsedMs)}`];
}

const interruptedCode = 130;

function endWord({ exitCode }: RunEnd, { colours }: TextStyle): string {
  if (exitCode === 0) return colours.green("done");
  return colours.red(exitCode === interruptedCode ? "interrupted" : `ended with exit code ${exitCode}`);
}

function table(recap: readonly HostRecap[], style: TextStyle, width: number): string[] {
  const shown = columns.filter((column) => constant.has(column) || recap.some((host) => host[column] > 0));
  const cells = shown.reduce((sum, column) => sum + pad("", column).length + 2, "  00000 ms".length);
  const longest = recap.reduce((most, { host }) => Math.max(most, host.length), 4);
  const wide = Math.min(longest, Math.max(12, width - cells));
  const head = `${"host".padEnd(wide)}  ${shown.map((column) => pad(column, column)).join("  ")}      time`;
  return [style.colours.bold(head), ...recap.map((host) => row(host, shown, wide, style))];
}

const pad = (text: string, column: string): string => text.padStart(Math.max(column.length, 4));

function row(
  host: HostRecap,
  shown: readonly (typeof columns)[number][],
  wide: number,
  style: TextStyle,
): string {
  const { colours } = style;
  const bad = host.failed > 0 || host.unreachable > 0;
  const name = fittedName(cleanText(style, host.host), wide).padEnd(wide);
  const cells = shown.map((column) => {
    const cell = pad(String(host[column]), column);
    if (host[column] === 0) return colours.grey(cell);
    if (column === "failed" || column === "unreachable") return colours.red(cell);
    return column === "changed" ? colours.yellow(cell) : column === "ok" ? colours.green(cell) : cell;
  });
  const painted = bad ? colours.red(name) : host.changed > 0 ? colours.yellow(name) : colours.green(name);
  return `${painted}  ${cells.join("  ")}  ${ms(host.elapsedMs).padStart(8)}`;
}
