/** The one place where errors become text: place, sentence, source line with a caret, why, fix. */
import { readFileSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { type Palette, palette } from "./colour.ts";
import { hidePasswords } from "./hide-passwords.ts";
import { type Masker, maskSecrets, stripControls } from "./printable.ts";

export interface FormatErrorOptions {
  readonly colour?: boolean;
  /** Paths below it are shown relative to it. */
  readonly cwd?: string;
  readonly mask?: Masker;
}

const shownErrorsLimit = 50;
const shownLineLimit = 160;

/** Any throw: a user's mistake in the documented form, a defect of ours with its stack and a request to report it. */
export function formatAnyError(error: unknown, options: FormatErrorOptions = {}): string {
  if (error instanceof ProvisionError) return formatError(error, options);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const clean = (options.mask ?? same)(stripControls(detail));
  return `error[defect]\nThis is a defect of provision, not of what you wrote. Please report it with these lines:\n\n${clean}`;
}

/** One error and all that were found with it, parted by empty lines, with a count at the end. */
export function formatError(error: ProvisionError, options: FormatErrorOptions = {}): string {
  const all = [error, ...error.also];
  const shown = all.slice(0, shownErrorsLimit).map((each) => formatOne(each, options));
  if (all.length > 1) {
    const hidden = all.length - shown.length;
    shown.push(`${all.length} errors${hidden > 0 ? `, ${hidden} not shown` : ""}`);
  }
  return shown.join("\n\n");
}

const same: Masker = (text) => text;

function formatOne(error: ProvisionError, options: FormatErrorOptions): string {
  const colours = palette(options.colour ?? false);
  const raw = error.span === undefined ? undefined : sourceLineOf(error.span);
  const hideHere = maskSecrets(raw === undefined ? [] : hidePasswords(raw).found);
  const clean = (text: string): string => hideHere((options.mask ?? same)(stripControls(text)));
  const tag = colours.red(`error[${error.code}]`);
  const lines = [
    error.span === undefined ? tag : `${colours.bold(clean(formatPlace(error.span, options.cwd)))}: ${tag}`,
    clean(error.message),
  ];
  if (error.span !== undefined && raw !== undefined) lines.push(...excerpt(raw, error.span, clean, colours));
  if (error.why !== undefined) lines.push(hanging("why", clean(error.why), colours));
  if (error.fix !== undefined) lines.push(hanging("fix", clean(error.fix), colours));
  for (const cause of causesOf(error)) lines.push(hanging("cause", clean(cause), colours));
  return lines.join("\n");
}

export function formatPlace(span: Span, cwd?: string): string {
  const near = cwd !== undefined && isAbsolute(span.file) ? relative(cwd, span.file) : span.file;
  const file = near.startsWith("../../") || near === "" ? span.file : near;
  return `${file}:${span.line}:${span.column}`;
}

const hanging = (label: string, text: string, colours: Palette): string =>
  `  ${colours.cyan(`${label}:`)} ${text.trimEnd().replaceAll("\n", `\n  ${" ".repeat(label.length + 2)}`)}`;

/** The source line and a caret under it. Tabs become one space, so that the caret stands right. */
function excerpt(raw: string, span: Span, clean: Masker, colours: Palette): string[] {
  if (raw.trim() === "") return [];
  const cut = windowOf(
    hidePasswords(raw)
      .line.replaceAll("\t", " ")
      .replace(/[\r\n]/g, ""),
    span,
  );
  const number = String(span.line);
  const caret = " ".repeat(Math.max(0, cut.column - 1)) + colours.red("^".repeat(cut.length));
  return ["", `  ${colours.grey(number)} | ${clean(cut.text)}`, `  ${" ".repeat(number.length)} | ${caret}`];
}

/** A long line is cut to what stands around the place. */
function windowOf(text: string, span: Span): { text: string; column: number; length: number } {
  const from = text.length > shownLineLimit ? Math.max(0, span.column - 1 - shownLineLimit / 2) : 0;
  const shown = text.slice(from, from + shownLineLimit);
  const column = span.column - from;
  const room = Math.max(1, shown.length - column + 1);
  return { text: shown, column, length: Math.max(1, Math.min(span.length ?? 1, room)) };
}

const sourceLineOf = (span: Span): string | undefined => span.sourceLine ?? readLine(span.file, span.line);

function readLine(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[line - 1];
  } catch {
    // Only the excerpt is lost: the error itself names the place.
    return undefined;
  }
}

const causeDepthLimit = 5;

/** What lies under the error, unless it only says the same again. */
function causesOf(error: ProvisionError): string[] {
  const causes: string[] = [];
  // A sentence that ends with what to type was parted into state and fix.
  const parted = [": ", "; "].map((mark) => `${error.message}${mark}${error.fix ?? ""}`);
  let said = parted.join("\n");
  let cause: unknown = error.cause;
  for (let depth = 0; depth < causeDepthLimit && cause instanceof Error; depth++) {
    if (cause.message !== "" && !said.includes(cause.message)) causes.push(cause.message);
    said += cause.message;
    cause = cause.cause;
  }
  return causes;
}
