/**
 * YAML as PyYAML writes it (with libyaml, as Ansible uses it): lines are folded after the width, a list under a key
 * stands at the key's own column, every line of a long text is indented once more.
 */
import { limitText } from "./arithmetic.ts";
import { compareText } from "./compare.ts";
import { spendOn } from "./effort.ts";
import { characters, reprFloat, str } from "./text.ts";
import {
  aTypeName,
  Fault,
  Float,
  isList,
  isMapping,
  mappingEntries,
  PyObject,
  toJson,
  Undefined,
  type Value,
} from "./value.ts";
import { escaped, styleOf } from "./yaml-scalar-text.ts";

export interface YamlOptions {
  readonly indent: number;
  /** Columns after which a line is folded at the next blank. */
  readonly width: number;
  /** "block": everything in blocks; "leaves": collections without collections inside stand on one line. */
  readonly style: "block" | "leaves" | "flow";
  readonly sortKeys: boolean;
  readonly allowUnicode: boolean;
}

export function yamlText(value: Value, options: YamlOptions): string {
  const writer = new Writer(options);
  writer.node(value, { inMapping: false, isKey: false });
  return `${writer.text()}\n`;
}

/** A text on its own, never folded. */
export function yamlString(
  text: string,
  where: { inFlow: boolean; column: number; unicode: boolean },
): string {
  const writer = new Writer({
    indent: where.column,
    width: Number.POSITIVE_INFINITY,
    style: where.inFlow ? "flow" : "block",
    sortKeys: false,
    allowUnicode: where.unicode,
  });
  writer.string(text, false, where.inFlow);
  return writer.text();
}

const isCollection = (value: Value): boolean => isList(value) || isMapping(value);

function entriesOf(value: Value, sorted: boolean): [Value, Value][] {
  if (!isMapping(value)) throw new Fault(`${aTypeName(value)} is nothing that YAML can write`);
  const entries = [...mappingEntries(value)];
  return sorted ? entries.sort(([a], [b]) => compareText(str(a), str(b))) : entries;
}

/** A key that is longer stands after a question mark. */
const maxSimpleKeyChars = 128;

interface NodePlace {
  readonly inMapping: boolean;
  readonly isKey: boolean;
}

/** Keeps the column, and what stands before it on the line, as the emitter of libyaml does. */
class Writer {
  readonly #options: YamlOptions;
  readonly #parts: string[] = [];
  #chars = 0;
  #column = 0;
  #indent = -1;
  #flowDepth = 0;
  /** Only blanks and dashes stand before on this line. */
  #isIndention = true;
  #isBlank = true;
  constructor(options: YamlOptions) {
    this.#options = options;
  }

  text(): string {
    return this.#parts.join("");
  }

  #put(text: string): void {
    this.#chars += text.length;
    limitText(this.#chars);
    this.#parts.push(text);
    this.#column += text.length;
  }
  #break(): void {
    this.#parts.push("\n");
    this.#column = 0;
  }
  #newLine(): void {
    const indent = Math.max(0, this.#indent);
    if (!this.#isIndention || this.#column > indent || (this.#column === indent && !this.#isBlank))
      this.#break();
    if (this.#column < indent) this.#put(" ".repeat(indent - this.#column));
    this.#isBlank = true;
    this.#isIndention = true;
  }
  #mark(mark: string, options: { spaced?: boolean; blank?: boolean; indention?: boolean } = {}): void {
    if (options.spaced === true && !this.#isBlank) this.#put(" ");
    this.#put(mark);
    this.#isBlank = options.blank === true;
    this.#isIndention &&= options.indention === true;
  }
  #deeper(inFlow: boolean, work: () => void, isLevel = false): void {
    const outer = this.#indent;
    if (outer < 0) this.#indent = inFlow ? this.#options.indent : 0;
    else if (!isLevel) this.#indent = outer + this.#options.indent;
    work();
    this.#indent = outer;
  }
  #isTooLong(): boolean {
    return this.#column > this.#options.width;
  }

  node(value: Value, place: NodePlace): void {
    if (value instanceof Undefined) throw value.fault();
    if (!isCollection(value)) this.#scalar(value, place.isKey);
    else if (this.#flowDepth > 0 || this.#standsOnOneLine(value)) this.#flow(value);
    else if (isList(value)) this.#blockList(value, place.inMapping);
    else this.#blockMapping(value);
  }

  #standsOnOneLine(value: Value): boolean {
    const members = isList(value) ? value : entriesOf(value, false).map(([, member]) => member);
    if (this.#options.style === "flow" || members.length === 0) return true;
    return this.#options.style === "leaves" && !members.some(isCollection);
  }

  #blockList(items: readonly Value[], inMapping: boolean): void {
    spendOn(items.length);
    const write = (): void => {
      for (const item of items) {
        this.#newLine();
        this.#mark("-", { spaced: true, indention: true });
        this.node(item, { inMapping: false, isKey: false });
      }
    };
    this.#deeper(false, write, inMapping && !this.#isIndention);
  }

  #blockMapping(value: Value): void {
    const entries = entriesOf(value, this.#options.sortKeys);
    spendOn(entries.length);
    this.#deeper(false, () => {
      for (const [key, member] of entries) {
        this.#newLine();
        if (this.#isSimpleKey(key)) {
          this.node(key, { inMapping: true, isKey: true });
          this.#mark(":");
        } else {
          this.#mark("?", { spaced: true, indention: true });
          this.node(key, { inMapping: true, isKey: false });
          this.#newLine();
          this.#mark(":", { spaced: true, indention: true });
        }
        this.node(member, { inMapping: true, isKey: false });
      }
    });
  }

  #isSimpleKey(key: Value): boolean {
    if (typeof key !== "string") return !isCollection(key);
    return !key.includes("\n") && key.length <= maxSimpleKeyChars;
  }

  #flow(value: Value): void {
    const ends = isList(value) ? (["[", "]"] as const) : (["{", "}"] as const);
    this.#mark(ends[0], { spaced: true, blank: true });
    this.#flowDepth++;
    this.#deeper(true, () => {
      if (isList(value)) this.#flowItems(value);
      else this.#flowMembers(entriesOf(value, this.#options.sortKeys));
    });
    this.#flowDepth--;
    this.#mark(ends[1]);
  }
  #flowItems(items: readonly Value[]): void {
    spendOn(items.length);
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#mark(",");
      if (this.#isTooLong()) this.#newLine();
      this.node(item, { inMapping: false, isKey: false });
    }
  }
  #flowMembers(entries: readonly (readonly [Value, Value])[]): void {
    spendOn(entries.length);
    for (const [index, [key, member]] of entries.entries()) {
      if (index > 0) this.#mark(",");
      if (this.#isTooLong()) this.#newLine();
      const isSimple = this.#isSimpleKey(key);
      if (!isSimple) this.#mark("?", { spaced: true });
      this.node(key, { inMapping: true, isKey: isSimple });
      if (!isSimple && this.#isTooLong()) this.#newLine();
      this.#mark(":", { spaced: !isSimple });
      this.node(member, { inMapping: true, isKey: false });
    }
  }

  #scalar(value: Value, isKey: boolean): void {
    if (typeof value === "string") this.string(value, isKey, this.#flowDepth > 0);
    else if (value instanceof PyObject) this.#scalar(plainOf(value), isKey);
    else this.#written(scalarText(value));
  }
  #written(text: string): void {
    this.#mark(text, { spaced: true });
  }

  string(text: string, isKey: boolean, inFlow: boolean): void {
    const style = styleOf(text, { inFlow, isKey, unicode: this.#options.allowUnicode });
    this.#deeper(true, () => {
      if (style === "plain") this.#folded(text, { folds: !isKey, inQuotes: false });
      else if (style === "single") {
        this.#mark("'", { spaced: true });
        this.#folded(text, { folds: !isKey, inQuotes: true });
        this.#mark("'");
      } else this.#doubleQuoted(text, !isKey);
    });
  }

  /** A single blank beyond the width becomes a break; a break of the text is written twice. */
  #folded(text: string, { folds, inQuotes }: { folds: boolean; inQuotes: boolean }): void {
    if (text === "") return;
    if (!this.#isBlank && !inQuotes) this.#put(" ");
    this.#isBlank = false;
    this.#isIndention = false;
    let wasBlank = false;
    let wasBreak = false;
    for (const [chunk] of text.matchAll(/ |\n|[^ \n]+/g)) {
      if (chunk === "\n") {
        if (!wasBreak) this.#break();
        this.#break();
        this.#isIndention = true;
      } else {
        if (wasBreak) this.#newLine();
        if (chunk === " ") this.#foldedBlank(folds && !wasBlank);
        else this.#put(inQuotes ? chunk.replaceAll("'", "''") : chunk);
        this.#isIndention = false;
      }
      wasBlank = chunk === " ";
      wasBreak = chunk === "\n";
    }
    if (wasBreak) this.#newLine();
  }
  #foldedBlank(mayFold: boolean): void {
    if (mayFold && this.#isTooLong()) this.#newLine();
    else this.#put(" ");
  }

  #doubleQuoted(text: string, folds: boolean): void {
    this.#mark('"', { spaced: true });
    const all = characters(text);
    let wasBlank = false;
    for (const [index, char] of all.entries()) {
      const isInside = index > 0 && index < all.length - 1;
      if (char === " " && folds && !wasBlank && isInside && this.#isTooLong()) {
        this.#newLine();
        if (all[index + 1] === " ") this.#put("\\");
      } else this.#put(escaped(char, this.#options.allowUnicode) ?? char);
      wasBlank = char === " ";
    }
    this.#mark('"');
  }
}

function plainOf(value: PyObject): Value {
  const json = toJson(value);
  if (typeof json === "string") return json;
  throw new Fault(`${aTypeName(value)} is nothing that YAML can write`);
}

function scalarText(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value)))
    return String(value);
  if (typeof value === "number" || value instanceof Float)
    return yamlFloat(value instanceof Float ? value.value : value);
  throw new Fault(`${aTypeName(value)} is nothing that YAML can write`);
}
function yamlFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
  const text = reprFloat(value);
  return !text.includes(".") && text.includes("e") ? text.replace("e", ".0e") : text;
}
