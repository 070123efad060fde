import type { Span } from "../../base/errors.ts";
import type { SourceNode } from "./node.ts";
import type { SourceText } from "./source-text.ts";

/** A number that JSON wrote as 1.0: JavaScript alone would forget the point. */
export class WrittenFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** JSON with floats kept apart and integers that no double holds as text. Throws SyntaxError. */
export function parseJsonText(text: string): unknown {
  return JSON.parse(text, function keepNumbers(_key, value: unknown, context?: { readonly source?: string }) {
    const written = context?.source;
    if (typeof value !== "number" || written === undefined) return value;
    if (/[.eE]/.test(written)) return new WrittenFloat(value);
    return Number.isSafeInteger(value) ? value : written;
  });
}

/** Places are not known: every value stands at `span`. */
export function fromJson(value: unknown, span: Span): SourceNode {
  if (Array.isArray(value)) return { kind: "list", items: value.map((item) => fromJson(item, span)), span };
  if (value instanceof WrittenFloat) return { kind: "scalar", value: value.value, float: true, span };
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => ({
      key: { kind: "scalar" as const, value: key, span },
      value: fromJson(item, span),
    }));
    return { kind: "map", entries, span };
  }
  return { kind: "scalar", value: value as string | number | boolean | null, span };
}

/** JSON that is no YAML (tabs between brackets); undefined when it is no JSON either. */
export function jsonNode(source: SourceText): SourceNode | undefined {
  try {
    return fromJson(parseJsonText(source.text), source.span(0));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
