/** A variable as it stands in a layer: a template that is rendered when used, or data that never is. */
import type { Span } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import type { SourceNode } from "../source/node.ts";

export type Variable =
  | { readonly kind: "template"; readonly node: SourceNode; readonly origin: Origin }
  /** Facts, registered results, anything a host said: never rendered, however it looks. */
  | { readonly kind: "data"; readonly value: JsonValue; readonly origin: Origin };

/** Where a variable comes from, for `--explain` and for error messages. */
export interface Origin {
  readonly layer: string;
  readonly span?: Span | undefined;
}

/** What an expression may see. Layers are laid over each other by precedence.ts; the first hit wins. */
export interface Scope {
  lookup(name: string): Variable | undefined;
  names(): Iterable<string>;
}
