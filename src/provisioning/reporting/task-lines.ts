/** One event of a host's task → the lines that tell it: shared by the plain and the terminal reporter. */
import { shellWords } from "../../base/shell-quote.ts";
import type { EngineEvent, ShownDiff, ShownFailure, TaskStatus } from "../engine/events.ts";
import type { Palette } from "./colour.ts";
import { hintOf } from "./failure-hints.ts";
import { fitted } from "./fit-text.ts";
import { formatError } from "./format-error.ts";
import { type Masker, stripControls } from "./printable.ts";
import { unifiedDiff } from "./unified-diff.ts";

export interface TextStyle {
  readonly colours: Palette;
  readonly colour: boolean;
  readonly verbosity: number;
  readonly mask: Masker;
  readonly cwd: string;
}

export type TaskHostEvent = Extract<EngineEvent, { type: "task-host" }>;

const outputLinesLimit = 20;
/** Some programs write all they have to say into one line. */
const outputLineColumns = 2_000;
/** Nobody reads more of one file's difference; -v shows all of it. */
const diffLinesLimit = 1_000;

export const cleanText = (style: TextStyle, text: string): string => style.mask(stripControls(text));

/** For names of tasks and items: they may hold line breaks. */
export const oneLine = (style: TextStyle, text: string): string =>
  cleanText(style, text).replaceAll(/\s*\n\s*/g, " ");

export function paintStatus(status: TaskStatus, colours: Palette, text: string = status): string {
  if (status === "ok" || status === "rescued") return colours.green(text);
  if (status === "changed" || status === "would-change" || status === "unsure") return colours.yellow(text);
  if (status === "skipped") return colours.grey(text);
  return status === "ignored" ? colours.blue(text) : colours.red(text);
}

/** Whether the event is worth a line of its own at this verbosity. */
export function isWorthTelling(event: TaskHostEvent, verbosity: number): boolean {
  if (event.status === "ok") return verbosity > 0 || (event.diffs.length > 0 && event.steps.length > 0);
  return event.status === "skipped" ? verbosity > 0 : true;
}

/** What stands below the line of a host: why it failed and where that is written, what was done, what differs. */
export function taskHostDetails(event: TaskHostEvent, style: TextStyle, place?: string): string[] {
  const lines: string[] = [];
  if (event.failure !== undefined)
    lines.push(...failureLines(withTypedCommand(event.failure, event.result), style, place));
  else if (event.message !== undefined && (event.status !== "ok" || style.verbosity > 0)) {
    lines.push(...cleanText(style, event.message).trimEnd().split("\n"));
  }
  if (style.verbosity >= 1) lines.push(...event.steps.map((step) => `- ${cleanText(style, step)}`));
  for (const diff of event.diffs) lines.push(...diffLines(diff, style));
  if (style.verbosity >= 2)
    lines.push(...cleanText(style, JSON.stringify(event.result, null, 2)).split("\n"));
  if (style.verbosity >= 3 && event.timing !== undefined) {
    const { networkMs, hostMs, controllerMs } = event.timing;
    lines.push(`time: network ${ms(networkMs)}, host ${ms(hostMs)}, controller ${ms(controllerMs)}`);
  }
  return lines;
}

/** Why a host cannot be reached. */
export function connectFailureLines(
  event: Extract<EngineEvent, { type: "connect" }>,
  style: TextStyle,
): string[] {
  const { message = "", error } = event;
  return failureLines(error === undefined ? { message } : { message, error }, style);
}

export const ms = (value: number): string =>
  value < 995
    ? `${Math.round(value)} ms`
    : value < 59_950
      ? `${(value / 1000).toFixed(1)} s`
      : minutes(value);

const minutes = (value: number): string => {
  const seconds = Math.round(value / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
};

function failureLines(failure: ShownFailure, style: TextStyle, place?: string): string[] {
  const { colours } = style;
  const at = place === undefined ? [] : [`${colours.cyan("place:")} ${nearPlace(place, style)}`];
  if (failure.error !== undefined) {
    const { colour, cwd, mask } = style;
    const told = formatError(failure.error, { colour, cwd, mask }).split("\n");
    return failure.error.span === undefined ? [...told, ...at.map((line) => `  ${line}`)] : told;
  }
  const code = failure.code === undefined ? "" : `: exit code ${failure.code}`;
  const lines = cleanText(style, failure.message + code)
    .trimEnd()
    .split("\n");
  lines.push(...at);
  if (failure.argv !== undefined && !isOurScript(failure.argv)) {
    const [first, ...more] = cleanText(style, commandText(failure.argv)).trim().split("\n");
    lines.push(`${colours.cyan("command:")} ${first}`, ...more.map((line) => `  ${line}`));
  }
  lines.push(...outputLines("stderr", failure.stderr, style));
  if ((failure.stderr ?? "").trim() === "") lines.push(...outputLines("stdout", failure.stdout, style));
  const hint = hintOf(failure);
  if (hint !== undefined) lines.push(`${colours.cyan("fix:")} ${cleanText(style, hint)}`);
  return lines;
}

/** `command` lets a shell fill in its variables: what was written says more than what that shell was given. */
function withTypedCommand(failure: ShownFailure, { cmd }: TaskHostEvent["result"]): ShownFailure {
  const isWrapped = failure.argv?.[1] === "-c" && failure.argv[2]?.startsWith("exec ") === true;
  if (!isWrapped || !Array.isArray(cmd)) return failure;
  return { ...failure, argv: cmd.map(String) };
}

/** A script of a module, with its arguments behind it, says nothing to whoever called the module. */
const isOurScript = ([, option, script = "", ...args]: readonly string[]): boolean =>
  option === "-c" && script.includes("\n") && args.length > 0;

/** As it could be typed; of `sh -c` what the shell was given. */
function commandText(argv: readonly string[]): string {
  const [, option, script, more] = argv;
  return option === "-c" && script !== undefined && more === undefined ? script : shellWords(argv);
}

/** `/home/me/site.yml:12` as it is written from here. */
export const nearPlace = (place: string, style: TextStyle): string =>
  cleanText(style, place.startsWith(`${style.cwd}/`) ? place.slice(style.cwd.length + 1) : place);

function outputLines(label: string, text: string | undefined, style: TextStyle): string[] {
  const clean = cleanText(style, text ?? "").trimEnd();
  if (clean === "") return [];
  const all = clean.split("\n");
  const last = all.slice(-outputLinesLimit);
  const cut = all.length - last.length;
  const head = `${style.colours.cyan(`${label}:`)}${cut > 0 ? ` (the last ${last.length} lines)` : ""}`;
  return [head, ...last.map((line) => `  ${fitted(line, outputLineColumns)}`)];
}

export function diffLines(diff: ShownDiff, style: TextStyle): string[] {
  const { colours } = style;
  const all = unifiedDiff(diff.path, diff.before, diff.after);
  const most = style.verbosity > 0 ? all.length : diffLinesLimit;
  const more = all.length > most ? [colours.grey(`… ${all.length - most} more lines: -v shows them`)] : [];
  const shown = all.slice(0, most).map((raw) => {
    const line = cleanText(style, raw);
    if (line.startsWith("@@")) return colours.cyan(line);
    if (line.startsWith("---") || line.startsWith("+++")) return colours.bold(line);
    if (line.startsWith("-")) return colours.red(line);
    return line.startsWith("+") ? colours.green(line) : line;
  });
  return [...shown, ...more];
}
