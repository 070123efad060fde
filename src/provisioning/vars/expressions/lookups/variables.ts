/** Lookups of variables by name, and of settings. */
import { pythonRegExp } from "../../../../base/python-regexp.ts";
import type { Lookup } from "../lookups.ts";
import { str } from "../text.ts";
import { Fault, isList, Undefined, type Value } from "../value.ts";

const names = (terms: readonly Value[]): string[] =>
  terms.flatMap((term) => (isList(term) ? term.map(str) : [str(term)]));

export const variableLookups: Readonly<Record<string, Lookup>> = {
  vars: ({ terms, options, renderer }) =>
    names(terms).map((name) => {
      const value = renderer.variable(name);
      if (value !== undefined && !(value instanceof Undefined)) return value;
      const usual = options.get("default");
      if (usual !== undefined) return usual;
      throw value instanceof Undefined
        ? value.fault()
        : new Undefined({ name, message: `there is no variable "${name}"`, at: 0 }).fault();
    }),
  varnames: ({ terms, renderer }) => {
    const all = [...new Set(renderer.context.scope.names())].sort();
    return names(terms).flatMap((pattern) => {
      const made = pythonRegExp(pattern);
      if ("refused" in made) throw new Fault(made.refused);
      return all.filter((name) => made.regexp.test(name));
    });
  },
  inventory_hostnames: ({ terms, renderer }) => {
    const { hosts } = renderer.context;
    if (hosts?.matching === undefined) throw new Fault("there is no inventory here");
    return [...hosts.matching(names(terms).join(","))];
  },
  config: ({ terms, options, renderer }) =>
    names(terms).map((name) => {
      const value = renderer.context.config?.get(name.toLowerCase());
      if (value !== undefined) return value;
      if (options.get("on_missing") === "skip") return null;
      throw new Fault(`there is no setting "${name}"`);
    }),
};
