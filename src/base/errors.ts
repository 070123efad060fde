/**
 * Errors as data: what could not be done, where, why, and what to type. Thrown anywhere, formatted only in
 * `provisioning/reporting/format-error.ts`; never printed with a stack for a user's mistake.
 */
import type { ErrorCode } from "./error-codes.ts";

/** A place in a text: 1-based line and column, in UTF-16 units. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many columns the caret line underlines. Default 1. */
  readonly length?: number;
  /** The source line itself, when the reader has it at hand. */
  readonly sourceLine?: string;
}

export interface ErrorFields {
  readonly code: ErrorCode;
  /** What we tried, for "Cannot <action>": `read task "data directory"`. */
  readonly action: string;
  /** What stands in the way now: `module "file" has no argument "stat"`. Values are quoted. */
  readonly state: string;
  readonly span?: Span | undefined;
  /** What is wanted, in general. */
  readonly why?: string | undefined;
  /** Something to type. Left out rather than guessed. */
  readonly fix?: string | undefined;
  readonly cause?: unknown;
}

export class ProvisionError extends Error {
  readonly code: ErrorCode;
  readonly action: string;
  readonly state: string;
  readonly span: Span | undefined;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  /** Further errors found by the same check, in order of appearance. */
  readonly also: readonly ProvisionError[];

  constructor(fields: ErrorFields, also: readonly ProvisionError[] = []) {
    super(`Cannot ${fields.action}: ${fields.state}`, { cause: fields.cause });
    this.name = "ProvisionError";
    this.code = fields.code;
    this.action = fields.action;
    this.state = fields.state;
    this.span = fields.span;
    this.why = fields.why;
    this.fix = fields.fix;
    this.also = also;
  }
}

/** Gathers the errors of one load, so that a user sees all of them at once. */
export class ErrorCollector {
  readonly #errors: ProvisionError[] = [];

  add(error: ProvisionError): void {
    this.#errors.push(error, ...error.also);
  }

  /** Runs `work`; a ProvisionError is kept and `undefined` returned. Any other throw is a defect and goes on. */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ProvisionError)) throw error;
      this.add(error);
      return undefined;
    }
  }

  get errors(): readonly ProvisionError[] {
    return this.#errors;
  }

  throwIfAny(): void {
    const [first, ...rest] = this.#errors;
    if (first === undefined) return;
    throw new ProvisionError(
      {
        code: first.code,
        action: first.action,
        state: first.state,
        span: first.span,
        why: first.why,
        fix: first.fix,
        cause: first.cause,
      },
      rest,
    );
  }
}
