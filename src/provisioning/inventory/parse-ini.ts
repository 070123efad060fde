import { ErrorCollector, type Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { pythonValue } from "../source/python-literal.ts";
import { SourceText } from "../source/source-text.ts";
import { type ShellWord, splitShellWords } from "../source/split-shell-words.ts";
import { hostNames } from "./host-names.ts";
import { assignmentFix, pairFix, refuseNoHost, sectionFix } from "./ini-fixes.ts";
import type { InventoryBuilder } from "./inventory-builder.ts";
import { type Complaint, inventoryError } from "./inventory-errors.ts";
import { limits } from "./limits.ts";

/** Tells the builder what an INI inventory says. */
export function parseIni(text: string, file: string, builder: InventoryBuilder): void {
  new IniReader(new SourceText(text, file), builder).read();
}

const kinds = ["hosts", "children", "vars"] as const;
type Kind = (typeof kinds)[number];

/** A line without the blanks around it, and where it stands in the text. */
interface Line {
  readonly text: string;
  readonly offset: number;
}
/** A group that a line needs and no header has declared yet. */
interface Pending {
  readonly as: "vars" | "children";
  readonly span: Span;
  readonly parents: { readonly name: string; readonly span: Span }[];
}

const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/;
const groupLine = /^([^:\]\s]+)\s*(?:#.*)?$/;

class IniReader {
  readonly #source: SourceText;
  readonly #builder: InventoryBuilder;
  readonly #pending = new Map<string, Pending>();
  #group = "ungrouped";
  /** Undefined after a header that could not be read: the lines below it say nothing then. */
  #kind: Kind | undefined = "hosts";
  readonly #errors = new ErrorCollector();

  constructor(source: SourceText, builder: InventoryBuilder) {
    this.#source = source;
    this.#builder = builder;
  }

  read(): void {
    for (const line of linesOf(this.#source.text)) {
      if (line.text === "" || line.text.startsWith("#") || line.text.startsWith(";")) continue;
      this.#errors.attempt(() => this.#line(line));
      if (this.#errors.errors.length >= limits.errors) break;
    }
    if (this.#errors.errors.length === 0) this.#gatherUndeclared();
    this.#errors.throwIfAny();
  }

  #line(line: Line): void {
    if (line.text.length > limits.lineLength) {
      throw inventoryError(this.#source.file, this.#source.span(line.offset), "the line is too long", {
        why: `it has ${line.text.length} characters; a line has at most ${limits.lineLength}`,
      });
    }
    if (line.text.startsWith("[") && !/^\[[^\]]*\]:\d+(?:\s|$)/.test(line.text)) {
      this.#kind = undefined;
      this.#header(line);
    } else if (this.#kind === "hosts") this.#host(line);
    else if (this.#kind === "vars") this.#variable(line);
    else if (this.#kind === "children") this.#child(line);
  }

  #header(line: Line): void {
    const found = header.exec(line.text);
    const name = found?.[1];
    if (found === null || name === undefined) throw this.#badHeader(line);
    const kind = this.#checkedKind(found[2] ?? "hosts", line);
    const span = this.#span(line);
    const isNew = !this.#builder.hasGroup(name);
    if (isNew && kind === "vars" && !this.#pending.has(name)) {
      this.#pending.set(name, { as: "vars", span, parents: [] });
    }
    this.#builder.addGroup(name, span);
    if (kind !== "vars") this.#declare(name);
    this.#group = name;
    this.#kind = kind;
  }

  /** A header that was waited for: its parents take it in now, which is what Ansible's order of children comes from. */
  #declare(name: string): void {
    const pending = this.#pending.get(name);
    if (pending === undefined) return;
    for (const parent of pending.parents) this.#builder.addChild(parent.name, name, parent.span);
    this.#pending.delete(name);
  }

  #badHeader(line: Line): Error {
    const comment = /^\[[^\]]*\]\s*;/.test(line.text);
    return this.#error(line, `"${line.text}" is no section`, {
      why: "a section is [group], [group:children] or [group:vars], without blanks",
      fix: comment ? "begin the comment after a section with #" : sectionFix(line.text),
    });
  }

  #checkedKind(kind: string, line: Line): Kind {
    const known = kinds.find((each) => each === kind);
    if (known !== undefined) return known;
    const near = kind.startsWith("child") ? "children" : nearest(kind, kinds);
    throw this.#error(line, `there is no section of kind "${kind}"`, {
      why: "a section is [group], [group:children] or [group:vars]",
      fix: near === undefined ? undefined : `write ":${near}" instead of ":${kind}"`,
    });
  }

  #host(line: Line): void {
    const [first, ...rest] = this.#words(line);
    if (first === undefined) return;
    const span = this.#wordSpan(line, first);
    refuseNoHost(first.text, span, this.#group);
    const { names, port } = hostNames(first.text, span);
    const assignments = rest.map((word) => this.#assignment(line, word));
    this.#builder.addHosts({ names, port, group: this.#group, file: this.#source.file, span });
    for (const name of names) {
      for (const { key, node } of assignments) this.#builder.setHostVar(name, key, node);
    }
  }

  #assignment(line: Line, word: ShellWord) {
    const span = this.#wordSpan(line, word);
    const equals = word.text.indexOf("=");
    if (equals <= 0) {
      const isApart =
        word.text === "" || equals === 0 || line.text.slice(word.end).trimStart().startsWith("=");
      throw inventoryError(this.#source.file, span, `"${word.text}" is no key=value`, {
        why: "after the host, a line holds variables as key=value, without blanks around =; values with blanks are quoted",
        fix: isApart ? "write key=value without blanks around =" : assignmentFix(line.text, word),
      });
    }
    const text = word.text.slice(equals + 1);
    return { key: word.text.slice(0, equals), node: pythonValue(text, span) };
  }

  #words(line: Line): readonly ShellWord[] {
    const split = splitShellWords(line.text);
    if ("words" in split) return split.words;
    const span = this.#source.span(line.offset + split.at);
    const file = this.#source.file;
    if (split.problem === "open-quote")
      throw inventoryError(file, span, "a quote is opened and not closed", {
        why: "a quote holds a value with blanks together",
        fix: "close it at the end of the value, or put a backslash before it",
      });
    if (split.problem === "trailing-backslash") {
      throw inventoryError(file, span, "a backslash stands at the end of the line", {
        why: "a backslash makes the next character literal; lines cannot be continued",
      });
    }
    throw inventoryError(file, span, 'a "#" stands inside a word', {
      why: "Ansible would silently drop it and the rest of the line",
      fix: "put the word in quotes, or a blank before a comment",
    });
  }

  #variable(line: Line): void {
    const equals = line.text.indexOf("=");
    const key = line.text.slice(0, Math.max(0, equals)).trim();
    if (key === "") {
      throw this.#error(line, `"${line.text}" is no key=value`, {
        why: `[${this.#group}:vars] holds one key=value a line`,
        fix: pairFix(line.text),
      });
    }
    const rest = line.text.slice(equals + 1);
    const value = rest.trim();
    const start = line.offset + equals + 1 + (rest.length - rest.trimStart().length);
    this.#builder.setGroupVar(this.#group, key, pythonValue(value, this.#source.span(start, value.length)));
  }

  #child(line: Line): void {
    const child = groupLine.exec(line.text)?.[1];
    const span = this.#span(line);
    if (child === undefined) {
      throw this.#error(line, `"${line.text}" is no name of a group`, {
        why: `[${this.#group}:children] holds one name of a group a line`,
      });
    }
    if (this.#builder.hasGroup(child)) {
      this.#builder.addChild(this.#group, child, span);
      return;
    }
    const pending = this.#pending.get(child) ?? { as: "children", span, parents: [] };
    pending.parents.push({ name: this.#group, span });
    this.#pending.set(child, pending);
  }

  #gatherUndeclared(): void {
    for (const [name, { as, span, parents }] of this.#pending) {
      const state =
        as === "vars"
          ? `[${name}:vars] is for a group that is declared nowhere`
          : `[${parents[0]?.name}:children] names group "${name}", which is declared nowhere`;
      const why = "a group is declared by a section [name] or [name:children]";
      this.#errors.add(
        inventoryError(this.#source.file, span, state, { why, fix: `add a section [${name}]` }),
      );
    }
  }

  #span(line: Line): Span {
    return this.#source.span(line.offset, line.text.length);
  }

  #wordSpan(line: Line, word: ShellWord): Span {
    return this.#source.span(line.offset + word.start, word.end - word.start);
  }

  #error(line: Line, state: string, complaint: Complaint): Error {
    return inventoryError(this.#source.file, this.#span(line), state, complaint);
  }
}

function* linesOf(text: string): Generator<Line> {
  let start = 0;
  while (start <= text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const raw = text.slice(start, end);
    const trimmed = raw.trimStart();
    yield { text: trimmed.trimEnd(), offset: start + raw.length - trimmed.length };
    start = end + 1;
  }
}
