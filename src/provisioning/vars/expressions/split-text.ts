/** str.split, splitlines and title. */
import { Fault } from "./value.ts";

export interface SplitOptions {
  /** Undefined: runs of blanks, and none at the ends. */
  readonly separator: string | undefined;
  /** Negative: all. */
  readonly most: number;
  readonly fromRight: boolean;
}

export function splitText(text: string, options: SplitOptions): string[] {
  const { separator, most } = options;
  if (separator === "") throw new Fault("split() by empty text");
  if (separator === undefined) return splitBlanks(text, options);
  const parts = text.split(separator);
  if (most < 0 || parts.length <= most + 1) return parts;
  if (options.fromRight) {
    const head = parts.slice(0, parts.length - most).join(separator);
    return [head, ...parts.slice(parts.length - most)];
  }
  return [...parts.slice(0, most), parts.slice(most).join(separator)];
}

function splitBlanks(text: string, options: SplitOptions): string[] {
  const { most, fromRight } = options;
  const words = [...text.matchAll(/\S+/g)];
  if (most < 0 || words.length <= most + 1) return words.map(([word]) => word);
  if (fromRight) {
    const kept = words.slice(words.length - most);
    const end = kept[0]?.index ?? text.length;
    return [text.slice(0, end).trim(), ...kept.map(([word]) => word)];
  }
  const rest = text.slice(words[most]?.index ?? 0).trimEnd();
  return [...words.slice(0, most).map(([word]) => word), most === 0 ? text.trimStart() : rest];
}

export function splitLines(text: string, keepEnds = false): string[] {
  const lines = text.match(
    /[^\r\n\v\f\u0085\u2028\u2029]*(?:\r\n|[\r\n\v\f\u0085\u2028\u2029])|[^\r\n\v\f\u0085\u2028\u2029]+$/g,
  );
  const found = lines ?? [];
  return keepEnds
    ? [...found]
    : found.map((line) => line.replace(/(?:\r\n|[\r\n\v\f\u0085\u2028\u2029])$/, ""));
}

/** Every run of letters starts with a capital: "they're" → "They'Re", as in Python. */
export const titleCase = (text: string): string =>
  text.replace(/\p{L}+/gu, (word) => {
    const [first = "", ...rest] = Array.from(word);
    return first.toUpperCase() + rest.join("").toLowerCase();
  });
