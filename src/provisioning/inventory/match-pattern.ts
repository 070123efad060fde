import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { statPath } from "../../base/stat-path.ts";
import { hostsOfGroup } from "./group-order.ts";
import { parseHostAddress } from "./host-address.ts";
import type { Inventory, InventoryHost } from "./inventory.ts";

/** Of groups or hosts, in an error. */
const shownNames = 12;

export interface MatchOptions {
  /** Where the pattern stands, for errors. */
  readonly span?: Span | undefined;
  /** For "Cannot <action>". Default: `choose hosts`. */
  readonly action?: string;
  /** Where `@file` starts. */
  readonly cwd?: string;
}

const localhostNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

/** Names that Ansible reaches without an inventory: over a local connection. */
export const isImplicitLocalhost = (name: string, inventory: Inventory): boolean =>
  localhostNames.has(name) && !inventory.hosts.has(name);

export const implicitLocalhost = (name: string): InventoryHost => {
  const span: Span = { file: "implicit localhost", line: 1, column: 1 };
  const node = { kind: "scalar", value: "local", span } as const;
  const origin = { layer: "implicit localhost" };
  return { name, groups: [], vars: new Map([["ansible_connection", { kind: "template", node, origin }]]) };
};

/**
 * The hosts that a pattern (`hosts:`, --limit) names, in Ansible's order: unions first, then `&`, then `!`, wherever they
 * stand. A name or glob that matches nothing is an error. Implicit localhost may be among the names.
 */
export function matchPattern(
  pattern: string | readonly string[],
  inventory: Inventory,
  options: MatchOptions = {},
): readonly string[] {
  const given = typeof pattern === "string" ? [pattern] : pattern;
  const terms = given
    .flatMap((each) => splitPattern(each, inventory, options))
    .flatMap((term) => fromFile(term, options));
  const unions = terms.filter((term) => !/^[!&]/.test(term));
  const matcher = new Matcher(inventory, options, terms.join(","));
  const hosts = new Set<string>();
  for (const term of unions.length === 0 ? ["all"] : unions)
    for (const host of matcher.match(term)) hosts.add(host);
  let kept = [...hosts];
  for (const term of terms.filter((each) => each.startsWith("&"))) {
    const others = new Set(matcher.match(term.slice(1)));
    kept = kept.filter((host) => others.has(host));
  }
  for (const term of terms.filter((each) => each.startsWith("!"))) {
    const others = new Set(matcher.match(term.slice(1)));
    kept = kept.filter((host) => !others.has(host));
  }
  return kept;
}

/** By commas; what is neither a host nor an address is parted by colons too (outside brackets). */
function splitPattern(pattern: string, inventory: Inventory, options: MatchOptions): readonly string[] {
  return pattern
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .flatMap((part) => {
      const name = part.replace(/^[!&]/, "");
      const hasGroups = name.startsWith("~") && name.includes("(?");
      if (part.startsWith("@") && statPath(fileOf(part, options)) !== undefined) return [part];
      if (hasGroups || inventory.hosts.has(name)) return [part];
      if (parseHostAddress(part) !== undefined) return [part];
      return part.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? [part];
    });
}

const fileOf = (term: string, { cwd }: MatchOptions): string => resolve(cwd ?? process.cwd(), term.slice(1));

/** `@file` holds a pattern a line; blank lines and lines that begin with # are passed over. */
function fromFile(term: string, options: MatchOptions): readonly string[] {
  if (!term.startsWith("@")) return [term];
  const { span, action = "choose hosts" } = options;
  const file = fileOf(term, options);
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    const state = `the file "${term.slice(1)}" cannot be read (${cause.code})`;
    throw new ProvisionError({
      code: "missing-file",
      action,
      state,
      span,
      why: '"@" is followed by a file of patterns',
      fix: "--limit @failed means the hosts that failed last time",
    });
  }
}

interface Subscript {
  readonly first: number;
  /** Inclusive. */
  readonly last: number | undefined;
  readonly isSlice: boolean;
}

class Matcher {
  readonly #inventory: Inventory;
  readonly #options: MatchOptions;
  readonly #whole: string;

  constructor(inventory: Inventory, options: MatchOptions, whole: string) {
    this.#inventory = inventory;
    this.#options = options;
    this.#whole = whole;
  }

  match(term: string): readonly string[] {
    if (term === "") {
      throw this.#error('a "!" or "&" stands alone', "it stands before a group, a host or a pattern");
    }
    if (this.#inventory.hosts.has(term)) return [term];
    if (term.startsWith("~")) return this.#enumerate(term, this.#regex(term));
    const { name, subscript } = this.#split(term);
    if (subscript !== undefined && !this.#isKnown(name)) throw this.#unknownGroup(term, name);
    const hosts = this.#enumerate(name, glob(name));
    return subscript === undefined ? hosts : this.#slice(term, hosts, subscript);
  }

  #enumerate(name: string, test: RegExp): readonly string[] {
    const { groups, hosts } = this.#inventory;
    const matchingGroups = groups.has(name) ? [name] : [...groups.keys()].filter((group) => test.test(group));
    const found = matchingGroups.flatMap((group) => hostsOfGroup(this.#inventory, group));
    const looksAtHosts = matchingGroups.length === 0 || /^~|[.?*[]/.test(name);
    if (looksAtHosts) for (const host of hosts.keys()) if (test.test(host)) found.push(host);
    if (found.length > 0) return [...new Set(found)];
    if (localhostNames.has(name)) return [name];
    if (matchingGroups.length > 0 || name === "all") return [];
    throw this.#unknown(name);
  }

  #regex(term: string): RegExp {
    const source = term.slice(1).replace(/\(\?P</g, "(?<");
    try {
      return new RegExp(`^(?:${source})`, "u");
    } catch (cause) {
      throw this.#error(
        `"${source}" is no regular expression`,
        "after ~ a pattern is a regular expression",
        undefined,
        cause,
      );
    }
  }

  #split(term: string): { readonly name: string; readonly subscript?: Subscript } {
    const found = /^(.+)\[(?:(-?\d+)|(\d+)([:-])(\d*))\]$/.exec(term);
    const [, name, index, first, separator, last] = found ?? [];
    if (name === undefined) return { name: term };
    if (index !== undefined)
      return { name, subscript: { first: Number(index), last: undefined, isSlice: false } };
    if (separator === "-") {
      throw this.#error(
        `"[${first}-${last}]" is no slice`,
        "a slice is [first:last], both included",
        `write "${name}[${first}:${last}]"`,
      );
    }
    const end = last === "" || last === undefined ? undefined : Number(last);
    return { name, subscript: { first: Number(first), last: end, isSlice: true } };
  }

  #slice(term: string, hosts: readonly string[], { first, last, isSlice }: Subscript): readonly string[] {
    if (isSlice) return hosts.slice(first, last === undefined ? undefined : last + 1);
    const host = hosts.at(first);
    if (host !== undefined || hosts.length === 0) return host === undefined ? [] : [host];
    throw this.#error(
      `"${term}" is beyond the end: there ${hosts.length === 1 ? "is 1 host" : `are ${hosts.length} hosts`}`,
      "the first host is [0], the last is [-1]",
      `write "${term.slice(0, term.lastIndexOf("["))}[-1]" for the last`,
    );
  }

  #isKnown(name: string): boolean {
    const { groups, hosts } = this.#inventory;
    return /[.?*[]/.test(name) || groups.has(name) || hosts.has(name) || localhostNames.has(name);
  }

  /** `db-[1:3]` is most often meant as a range. */
  #unknownGroup(term: string, name: string): ProvisionError {
    const near = nearest(name, [...this.#inventory.groups.keys()]);
    return this.#error(
      `"${term}" chooses among the hosts of "${name}", and there is no such group`,
      "[n] and [first:last] count a group's hosts from 0; ranges of names are for inventories",
      near === undefined || near === name ? `write "${name}*"` : `write "${near}" or "${name}*"`,
    );
  }

  #unknown(name: string): ProvisionError {
    const { groups, hosts } = this.#inventory;
    if (/^~|[*?[]/.test(name)) {
      return this.#error(`"${name}" matches no host and no group of the inventory`, rangeHint(name));
    }
    const near = nearest(name, [...groups.keys(), ...hosts.keys()]);
    const known = [...groups.keys()].filter((group) => group !== "ungrouped" && group !== "all");
    const some = (names: readonly string[]): string =>
      names.slice(0, shownNames).join(", ") + (names.length > shownNames ? ", …" : "");
    const held = known.length === 0 ? `hosts are ${some([...hosts.keys()])}` : `groups are ${some(known)}`;
    const why = hosts.size === 0 ? "the inventory holds no hosts" : `its ${held}`;
    const fix = near === undefined ? `add [${name}] to the inventory, or write "all"` : `write "${near}"`;
    return this.#error(`the inventory has no host and no group "${name}"`, why, fix);
  }

  #error(state: string, why?: string, fix?: string, cause?: unknown): ProvisionError {
    const { span, action = "choose hosts" } = this.#options;
    return new ProvisionError({
      code: "no-hosts",
      action: `${action} by "${this.#whole}"`,
      state,
      span,
      why,
      fix,
      cause,
    });
  }
}

function rangeHint(name: string): string | undefined {
  if (/\[-\d+:|\[\d*:-/.test(name))
    return "a slice counts from the first host: [2:4], [2:]; [-1] alone is the last";
  return /\[[^\]]*:[^\]]*\]/.test(name)
    ? "ranges like [a:c] are for inventories; in a pattern [a:c] means one of a, : and c"
    : undefined;
}

/** fnmatch: * ? [set] [!set], all of the name, case counts. */
function glob(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string;
    if (char === "*") source += ".*";
    else if (char === "?") source += ".";
    else if (char === "[") {
      const end = pattern.indexOf("]", at + (pattern[at + 1] === "!" ? 3 : 2));
      if (end < 0) {
        source += "\\[";
        continue;
      }
      const set = pattern.slice(at + 1, end);
      const negated = set.startsWith("!");
      const body = (negated ? set.slice(1) : set).replace(/[\\\]^[]/g, "\\$&");
      source += `[${negated ? "^" : ""}${body}]`;
      at = end;
    } else source += char.replace(/[\\^$.|+(){}\]]/g, "\\$&");
  }
  try {
    return new RegExp(`^(?:${source})$`, "s");
  } catch (error) {
    if (error instanceof SyntaxError) return /(?!)/;
    throw error;
  }
}
