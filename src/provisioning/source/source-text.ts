import { ProvisionError, type Span } from "../../base/errors.ts";
import { limits } from "./limits.ts";

/** A text and the offsets where its lines begin: turns offsets into places. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  readonly #starts: readonly number[];

  constructor(text: string, file: string) {
    this.file = file;
    this.text = text;
    this.#starts = lineStarts(text);
  }

  /** `length` is cut at the end of the line. */
  span(offset: number, length = 1): Span {
    const line = this.#lineAt(offset);
    const start = this.#starts[line] ?? 0;
    const next = this.#starts[line + 1];
    const raw = this.text.slice(start, next === undefined ? this.text.length : next - 1);
    const sourceLine = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const column = offset - start + 1;
    const room = Math.max(1, sourceLine.length - column + 1);
    return {
      file: this.file,
      line: line + 1,
      column,
      length: Math.max(1, Math.min(length, room)),
      sourceLine,
    };
  }

  #lineAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Refuses a text that would cost more memory than any hand-written file. */
export function refuseHugeText(text: string, file: string): void {
  if (text.length <= limits.textBytes) return;
  throw new ProvisionError({
    code: "bad-yaml",
    action: `read "${file}"`,
    state: `it has ${text.length} characters`,
    span: { file, line: 1, column: 1 },
    why: `a source file has at most ${limits.textBytes}`,
  });
}
