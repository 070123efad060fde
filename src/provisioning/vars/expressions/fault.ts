import type { Span } from "../../../base/errors.ts";

/** A mistake in an expression, before it has a place in a file. */
export class Fault extends Error {
  /** Offset into the template text; absent: where the evaluation stood. */
  readonly at: number | undefined;
  undefinedName: string | undefined;
  near: string | undefined;
  /** Set once the text that it happened in is known. */
  located: { readonly span: Span; readonly subject: string } | undefined;
  /** The lazy variables through which the mistake was reached, innermost first. */
  readonly through: string[] = [];
  constructor(message: string, at?: number) {
    super(message);
    this.at = at;
  }
}
