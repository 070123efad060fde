/** `lookup(…)` and `query(…)`: values from the controller, each time anew. What they give is data. */
import { nearest } from "../../../base/nearest.ts";
import { controllerLookups } from "./lookups/controller.ts";
import { filetree } from "./lookups/filetree.ts";
import { listLookups } from "./lookups/lists.ts";
import { variableLookups } from "./lookups/variables.ts";
import type { Renderer } from "./renderer.ts";
import { flagOf, textOf } from "./runtime.ts";
import { type CallArgs, Fault, type Value } from "./value.ts";

export interface LookupCall {
  readonly terms: readonly Value[];
  readonly options: ReadonlyMap<string, Value>;
  readonly renderer: Renderer;
}
export type Lookup = (call: LookupCall) => readonly Value[];

export const lookups: Readonly<Record<string, Lookup>> = {
  ...controllerLookups,
  filetree,
  ...listLookups,
  ...variableLookups,
};
/** What these give depends on nothing but variables. */
const pure = new Set(
  [...Object.keys(listLookups), ...Object.keys(variableLookups)].filter((name) => name !== "random_choice"),
);

export const shortLookup = (name: string): string =>
  name.replace(/^(?:ansible\.(?:builtin|legacy|posix|utils)|community\.general)\./, "");

export const isPureLookup = (name: string): boolean => pure.has(shortLookup(name));

export function runLookup(name: string, call: LookupCall): readonly Value[] {
  const short = shortLookup(name);
  const lookup = Object.hasOwn(lookups, short) ? lookups[short] : undefined;
  if (lookup === undefined) {
    const fault = new Fault(`there is no lookup "${short}"`);
    fault.near = nearest(short, Object.keys(lookups));
    throw fault;
  }
  if (!pure.has(short)) call.renderer.markImpure(`lookup("${short}")`);
  return lookup(call);
}

export function callLookup(given: CallArgs, renderer: Renderer, kind: "lookup" | "query"): Value {
  const [name, ...terms] = given.args;
  const { wantlist, errors, ...rest } = Object.fromEntries(given.kwargs);
  const call = { terms, options: new Map(Object.entries(rest)), renderer };
  const found = attempt(textOf(errors, "strict"), () =>
    runLookup(textOf(name, "", "the name of a lookup"), call),
  );
  if (found === undefined) return kind === "query" ? [] : null;
  if (kind === "query" || flagOf(wantlist, false)) return found;
  if (found.length > 0 && found.every((item) => typeof item === "string")) return found.join(",");
  return found.length === 1 ? (found[0] ?? null) : found;
}

function attempt(errors: string, work: () => readonly Value[]): readonly Value[] | undefined {
  if (errors === "strict") return work();
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
