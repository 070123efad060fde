/** The tables of filters and tests, and how one is called. Names may carry `ansible.builtin.` in front. */
import { nearest } from "../../../base/nearest.ts";
import { limitText } from "./arithmetic.ts";
import { collectionFilters } from "./filters/collections.ts";
import { communityFilters } from "./filters/community.ts";
import { dataFilters } from "./filters/data.ts";
import { hashFilters } from "./filters/hashes.ts";
import { listFilters } from "./filters/lists.ts";
import { mathFilters } from "./filters/math.ts";
import { networkFilters } from "./filters/network.ts";
import { pathFilters } from "./filters/paths.ts";
import { regexFilters } from "./filters/regex.ts";
import { setFilters } from "./filters/sets.ts";
import { textFilters } from "./filters/text.ts";
import { timeFilters } from "./filters/time.ts";
import { valueFilters } from "./filters/values.ts";
import type { Filter, Invocation, Test } from "./runtime.ts";
import { hostTests } from "./tests/results.ts";
import { valueTests } from "./tests/values.ts";
import { blankText, Fault, Undefined, type Value } from "./value.ts";

export const filters: Readonly<Record<string, Filter>> = {
  ...collectionFilters,
  ...communityFilters,
  ...dataFilters,
  ...hashFilters,
  ...listFilters,
  ...mathFilters,
  ...networkFilters,
  ...pathFilters,
  ...regexFilters,
  ...setFilters,
  ...textFilters,
  ...timeFilters,
  ...valueFilters,
};
export const tests: Readonly<Record<string, Test>> = { ...hostTests, ...valueTests };

/** Before Ansible 2.9 these tests were filters as well: `when: result|success`. */
const testsOnceFilters = new Set(
  "abs any all change changed directory exists failed failure file finished is_abs is_dir is_file is_link is_mount is_same_file issubset issuperset link link_exists match mount reachable regex same_file search skip skipped started subset succeeded success successful superset unreachable version version_compare".split(
    " ",
  ),
);
const isOldTest = (name: string): boolean => testsOnceFilters.has(name) && own(tests, name) !== undefined;

/** These are for what may be missing. */
const takesUndefined = new Set(["default", "d", "mandatory", "type_debug"]);
const testsUndefined = new Set(["defined", "undefined", "in"]);

const shortName = (name: string): string =>
  name.replace(/^(?:ansible\.(?:builtin|legacy|utils|netcommon|posix)|community\.(?:general|crypto))\./, "");
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

export const hasFilter = (name: string): boolean =>
  own(filters, shortName(name)) !== undefined || isOldTest(shortName(name));
export const hasTest = (name: string): boolean => own(tests, shortName(name)) !== undefined;

export function callFilter(input: Value, call: Invocation): Value {
  const name = shortName(call.name);
  const filter = own(filters, name);
  if (filter === undefined && isOldTest(name)) return callTest(input, call);
  if (filter === undefined) throw unknown("filter", name, Object.keys(filters));
  const given = input instanceof Undefined && !takesUndefined.has(name) ? blankText(input) : input;
  const made = filter(given, { ...call, name });
  if (typeof made === "string") limitText(made.length);
  return made;
}

export function callTest(input: Value, call: Invocation): boolean {
  const name = shortName(call.name);
  const test = own(tests, name);
  if (test === undefined) throw unknown("test", name, Object.keys(tests));
  const given = input instanceof Undefined && !testsUndefined.has(name) ? blankText(input) : input;
  return test(given, { ...call, name });
}

function unknown(what: string, name: string, names: readonly string[]): Fault {
  const fault = new Fault(`there is no ${what} "${name}"`);
  fault.near = nearest(name, names);
  return fault;
}
