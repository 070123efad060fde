/** YAML as `ansible-inventory -y` writes it: PyYAML's blocks, keys in order, long lines folded, what is shared written once. */
import { yamlString } from "../provisioning/vars/expressions/yaml-text.ts";
import { isScalar, itemsOf, numberText, type PrintValue, sortedMembers } from "./python-text.ts";

export const pythonYaml = (value: PrintValue): string => new Writer(value).text();

/** A line is folded at the first blank after so many columns. */
const bestWidth = 80;

type Shared = PrintValue & object;

/** Where a value stands. */
interface Place {
  /** Columns before its members' lines, and before lines that a text is folded into. */
  readonly indent: number;
  readonly inMap: boolean;
}

class Writer {
  readonly #value: PrintValue;
  readonly #anchors: ReadonlyMap<Shared, string>;
  readonly #written = new Set<Shared>();
  #text = "";

  constructor(value: PrintValue) {
    this.#value = value;
    this.#anchors = anchorsOf(value);
  }

  text(): string {
    this.#node(this.#value, { indent: 0, inMap: false });
    return `${this.#text.trimStart()}\n`;
  }

  /** After "key:" or "-". */
  #node(value: PrintValue, place: Place): void {
    const anchor = typeof value === "object" ? this.#anchors.get(value) : undefined;
    if (anchor !== undefined) {
      if (this.#written.has(value as Shared)) {
        this.#text += ` *${anchor}`;
        return;
      }
      this.#written.add(value as Shared);
      this.#text += ` &${anchor}`;
    }
    if (isScalar(value)) this.#text += ` ${this.#scalar(value, place.indent)}`;
    else if (itemsOf(value) !== undefined) this.#list(value, place, anchor !== undefined);
    else this.#map(value, place, anchor !== undefined);
  }

  #list(value: PrintValue, { indent, inMap }: Place, isAnchored: boolean): void {
    const items = itemsOf(value) ?? [];
    if (items.length === 0) this.#text += " []";
    // A list under a key stands at the key's own column.
    const at = inMap ? indent - 2 : indent;
    for (const [index, item] of items.entries()) {
      this.#begin(at, !inMap && index === 0 && !isAnchored);
      this.#text += "-";
      this.#node(item, { indent: at + 2, inMap: false });
    }
  }

  #map(value: PrintValue, { indent, inMap }: Place, isAnchored: boolean): void {
    const members = sortedMembers(value);
    if (members.length === 0) this.#text += " {}";
    for (const [index, [key, member]] of members.entries()) {
      this.#begin(indent, !inMap && index === 0 && !isAnchored);
      this.#text += `${this.#scalar(key)}:`;
      this.#node(member, { indent: indent + 2, inMap: true });
    }
  }

  /** The first member of what stands in a list goes on in the line of its dash. */
  #begin(indent: number, inLine: boolean): void {
    this.#text += inLine ? " " : `\n${" ".repeat(indent)}`;
  }

  /** `indent` is absent for keys: they are not folded. */
  #scalar(value: PrintValue & (string | number | object), indent?: number): string {
    if (typeof value === "number") return String(value);
    if (typeof value === "string") return this.#string(value, indent);
    if (!("kind" in value) || value.kind !== "scalar") return "";
    const { value: plain, tag, float } = value;
    if (plain === null) return "null";
    if (tag === "!vault") return vaultText(String(plain), indent ?? 0);
    if (typeof plain === "number") return yamlNumber(plain, float === true);
    return typeof plain === "string" ? this.#string(plain, indent) : String(plain);
  }

  #string(text: string, indent: number | undefined): string {
    const written = yamlString(text, { inFlow: false, column: indent ?? 0, unicode: true });
    if (indent === undefined) return written;
    const column = this.#text.length - this.#text.lastIndexOf("\n");
    return folded(written, column, indent);
  }
}

const vaultText = (text: string, indent: number): string => {
  const lines = text.replace(/\n$/, "").split("\n");
  const clip = text.endsWith("\n") ? "" : "-";
  return `!vault |${clip}${lines.map((line) => `\n${" ".repeat(indent)}${line}`).join("")}`;
};

/** A single blank beyond the width becomes a line's end; the text's quotes and its own line ends stay. */
function folded(text: string, startColumn: number, indent: number): string {
  const quote = /^["']/.test(text) ? 1 : 0;
  let column = startColumn;
  let made = "";
  const characters = [...text];
  for (const [at, char] of characters.entries()) {
    const isAlone =
      char === " " &&
      characters[at - 1] !== " " &&
      characters[at + 1] !== " " &&
      at > quote &&
      at < characters.length - 1 - quote;
    if (char === "\n") column = 0;
    if (isAlone && column > bestWidth && !made.endsWith("\n")) {
      made += `\n${" ".repeat(indent)}`;
      column = indent;
    } else {
      made += char;
      if (char !== "\n") column++;
    }
  }
  return made;
}

function yamlNumber(value: number, isFloat: boolean): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
  const text = numberText(value, isFloat);
  return text.includes(".") ? text : text.replace("e", ".0e");
}

/** What stands at several places, numbered in the order in which a second place is met. */
function anchorsOf(value: PrintValue): ReadonlyMap<Shared, string> {
  const seen = new Set<Shared>();
  const anchors = new Map<Shared, string>();
  const visit = (each: PrintValue): void => {
    if (typeof each !== "object") return;
    if (isScalar(each) && !("tag" in each && each.tag === "!vault")) return;
    // Python has one empty tuple: PyYAML leaves it alone.
    if ("tuple" in each && itemsOf(each)?.length === 0) return;
    if (seen.has(each)) {
      if (!anchors.has(each)) anchors.set(each, `id${String(anchors.size + 1).padStart(3, "0")}`);
      return;
    }
    seen.add(each);
    for (const item of itemsOf(each) ?? []) visit(item);
    for (const [, member] of sortedMembers(each)) visit(member);
  };
  visit(value);
  return anchors;
}
