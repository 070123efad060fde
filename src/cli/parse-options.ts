/** Options as a table: what a command takes is data, and so are its help and its "did you mean". */
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";

export interface OptionSpec {
  /** Without dashes. */
  readonly long: string;
  readonly short?: string;
  /** Further spellings, without dashes: `inventory-file`. */
  readonly aliases?: readonly string[];
  /** The name of its value in the help; absent for a flag. */
  readonly takes?: string;
  readonly help: string;
  /** May be given several times: all values are kept. A flag is counted. */
  readonly repeat?: boolean;
  readonly hidden?: boolean;
  /** One of Ansible's that is not taken here: why, and what to type instead. */
  readonly refused?: { readonly why: string; readonly fix: string };
}

export class ParsedOptions {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  /** What is no option, in order. */
  readonly rest: readonly string[];
  /** What stands after `--`; undefined when there is no `--`. */
  readonly afterDashes: readonly string[] | undefined;

  constructor(
    values: ReadonlyMap<string, readonly string[]>,
    rest: readonly string[],
    afterDashes?: readonly string[],
  ) {
    this.#values = values;
    this.rest = rest;
    this.afterDashes = afterDashes;
  }

  has(long: string): boolean {
    return this.#values.has(long);
  }
  /** How often a flag was given. */
  count(long: string): number {
    return this.#values.get(long)?.length ?? 0;
  }
  /** The last value given. */
  value(long: string): string | undefined {
    return this.#values.get(long)?.at(-1);
  }
  all(long: string): readonly string[] {
    return this.#values.get(long) ?? [];
  }
  number(long: string, least = 0): number | undefined {
    const text = this.value(long);
    if (text === undefined) return undefined;
    if (!/^\d+$/.test(text) || Number(text) < least) {
      throw badUsage(
        `--${long} is "${text}"`,
        `--${long} takes a whole number from ${least} up`,
        `--${long} ${Math.max(least, 1)}, or leave it out`,
      );
    }
    return Number(text);
  }
}

export const badUsage = (state: string, why?: string, fix?: string): ProvisionError =>
  new ProvisionError({ code: "bad-usage", action: "read the command line", state, why, fix });

interface Cursor {
  readonly argv: readonly string[];
  at: number;
  readonly values: Map<string, string[]>;
}

export function parseOptions(specs: readonly OptionSpec[], argv: readonly string[]): ParsedOptions {
  const cursor: Cursor = { argv, at: 0, values: new Map() };
  const rest: string[] = [];
  while (cursor.at < argv.length) {
    const word = argv[cursor.at++] ?? "";
    if (word === "--") return new ParsedOptions(cursor.values, rest, argv.slice(cursor.at));
    if (word.startsWith("--")) readLong(specs, word.slice(2), cursor);
    else if (word.startsWith("-") && word !== "-") readShorts(specs, word.slice(1), cursor);
    else rest.push(word);
  }
  return new ParsedOptions(cursor.values, rest);
}

function readLong(specs: readonly OptionSpec[], text: string, cursor: Cursor): void {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const spec = longSpec(specs, name);
  if (spec.refused !== undefined) throw refusedOption(`--${name}`, spec.refused);
  if (spec.takes === undefined) {
    if (equals >= 0) throw badUsage(`--${name} was given a value`, `--${spec.long} takes none`);
    keep(cursor, spec, "");
    return;
  }
  keep(cursor, spec, equals < 0 ? nextValue(cursor, spec, `--${name}`) : text.slice(equals + 1));
}

/** In full, or by the beginning of one. */
function longSpec(specs: readonly OptionSpec[], name: string): OptionSpec {
  const namesOf = ({ long, aliases = [] }: OptionSpec): readonly string[] => [long, ...aliases];
  const exact = specs.find((spec) => namesOf(spec).includes(name));
  if (exact !== undefined) return exact;
  const begun =
    name === "" ? [] : specs.filter((spec) => namesOf(spec).some((each) => each.startsWith(name)));
  const [only, second] = begun;
  if (only === undefined) throw unknownOption(specs, `--${name}`);
  if (second === undefined) return only;
  const meant = begun.map(({ long }) => `--${long}`);
  throw badUsage(`"--${name}" may mean ${meant.join(" or ")}`, undefined, `write ${meant[0]}`);
}

const refusedOption = (given: string, { why, fix }: { why: string; fix: string }): ProvisionError =>
  badUsage(`"${given}" is not taken here`, why, fix);

/** `-vvv`, `-Cb`, `-f10`, `-f 10`. */
function readShorts(specs: readonly OptionSpec[], letters: string, cursor: Cursor): void {
  if (letters.length > 2 && specs.some(({ long, hidden }) => long === letters && hidden !== true))
    throw badUsage(`"-${letters}" has one dash`, "a word takes two, a letter one", `write --${letters}`);
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? "";
    const spec = specs.find(({ short }) => short === letter);
    if (spec === undefined)
      throw unknownOption(specs, letters.length > 2 && at === 0 ? `-${letters}` : `-${letter}`);
    if (spec.refused !== undefined) throw refusedOption(`-${letter}`, spec.refused);
    if (spec.takes === undefined) {
      keep(cursor, spec, "");
      continue;
    }
    const attached = letters.slice(at + 1).replace(/^=/, "");
    keep(cursor, spec, attached === "" ? nextValue(cursor, spec, `-${letter}`) : attached);
    return;
  }
}

function nextValue(cursor: Cursor, spec: OptionSpec, shown: string): string {
  const value = cursor.argv[cursor.at++];
  if (value === undefined)
    throw badUsage(
      `${shown} stands without its value`,
      `${shown} takes ${spec.takes}`,
      `${shown} ${spec.takes}`,
    );
  return value;
}

function keep(cursor: Cursor, spec: OptionSpec, value: string): void {
  const kept = cursor.values.get(spec.long) ?? [];
  cursor.values.set(spec.long, [...kept, value]);
}

function unknownOption(specs: readonly OptionSpec[], given: string): ProvisionError {
  const names = specs
    .filter(({ hidden, refused }) => hidden !== true && refused === undefined)
    .flatMap(({ long, aliases = [] }) => [long, ...aliases].map((name) => `--${name}`));
  const near = nearest(given.startsWith("--") ? given : `-${given}`, names);
  return badUsage(
    `there is no option "${given}"`,
    undefined,
    near === undefined ? "add --help to see the options" : `write ${near} (--help lists the options)`,
  );
}

const helpColumn = 34;

/** One line an option, as `--help` prints it. */
export function describeOptions(specs: readonly OptionSpec[], columns = 100): string {
  return specs
    .filter(({ hidden, refused }) => hidden !== true && refused === undefined)
    .map((spec) => {
      const value = spec.takes === undefined ? "" : ` ${spec.takes}`;
      const left = `  ${spec.short === undefined ? "   " : `-${spec.short},`} --${spec.long}${value}`;
      const head = left.length < helpColumn ? left.padEnd(helpColumn) : `${left}\n${" ".repeat(helpColumn)}`;
      return head + wrap(spec.help, Math.max(30, columns - helpColumn)).join(`\n${" ".repeat(helpColumn)}`);
    })
    .join("\n");
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
