import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Parser,
  Scalar,
} from "yaml";
import type { Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { jsonNode } from "./from-json.ts";
import { limits } from "./limits.ts";
import type { ListNode, MapEntry, MapNode, ScalarNode, SourceNode } from "./node.ts";
import { refuseHugeText, SourceText } from "./source-text.ts";
import { keyText } from "./to-plain.ts";
import { syntaxError, yamlError } from "./yaml-errors.ts";
import { unquotedBraces } from "./yaml-guesses.ts";
import { type PlainValue, plainValue } from "./yaml-scalar.ts";

/** Reads a text of one YAML document (or none: null), as Ansible's loader does, or throws a bad-yaml with its place. */
export function parseYaml(text: string, file: string): SourceNode {
  refuseHugeText(text, file);
  const source = new SourceText(text, file);
  const document = composeOne(source);
  if (document === undefined) return nothing(source, 0);
  const [problem] = document.errors;
  if (problem !== undefined) {
    const json = /^\s*[[{]/.test(text) ? jsonNode(source) : undefined;
    if (json !== undefined) return json;
    throw syntaxError(source, problem);
  }
  if (document.contents === null) return nothing(source, 0);
  return new Conversion(source).convert(document.contents as Node, undefined);
}

/** Tags are resolved here and not by the library, whose YAML 1.1 differs from PyYAML's in small things. */
const composerOptions = { schema: "failsafe", uniqueKeys: false, merge: false, logLevel: "silent" } as const;

function composeOne(source: SourceText): Document.Parsed | undefined {
  const tokens = [...new Parser().parse(source.text)];
  refuseDeepNesting(tokens, source);
  const [document, second] = [...new Composer(composerOptions).compose(tokens)];
  if (second?.contents != null) {
    throw yamlError(
      source.span(second.range[0]),
      "a second document begins here",
      "a file holds one document",
    );
  }
  return document as Document.Parsed | undefined;
}

/** Before anything recursive sees the tokens. */
function refuseDeepNesting(tokens: readonly CST.Token[], source: SourceText): void {
  const stack = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { token, depth } = next;
    if (depth > limits.nestingDepth) {
      const why = `lists and maps stand in each other at most ${limits.nestingDepth} deep`;
      throw yamlError(source.span(token.offset), "it is nested too deeply", why);
    }
    if (token.type === "document" && token.value !== undefined) stack.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    for (const { key, value } of token.items as readonly CST.CollectionItem[]) {
      if (key != null) stack.push({ token: key, depth: depth + 1 });
      if (value !== undefined) stack.push({ token: value, depth: depth + 1 });
    }
  }
}

const nothing = (source: SourceText, offset: number): ScalarNode => ({
  kind: "scalar",
  value: null,
  span: source.span(offset),
});

type KeptTag = "!vault" | "!unsafe";
interface Anchored {
  readonly node: SourceNode;
  readonly size: number;
}
/** Of keys that people write twice for a reason. */
const mendTwice: Readonly<Record<string, string>> = {
  when: "make them one list, a line each: all of it must hold",
  name: "remove one; if it is an argument, indent it below its module",
};

const standardTag = "tag:yaml.org,2002:";

class Conversion {
  readonly #source: SourceText;
  readonly #anchors = new Map<string, Anchored | "open">();
  #expandedNodes = 0;

  constructor(source: SourceText) {
    this.#source = source;
  }

  convert(node: Node, outerTag: KeptTag | undefined): SourceNode {
    if (isAlias(node)) return this.#alias(node.source, this.#spanOf(node));
    const before = this.#expandedNodes++;
    const anchor = "anchor" in node ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, "open");
    const converted = this.#convertHere(node, this.#keptTag(node) ?? outerTag);
    if (anchor !== undefined) {
      this.#anchors.set(anchor, { node: converted, size: this.#expandedNodes - before });
    }
    return converted;
  }

  #convertHere(node: Node, tag: KeptTag | undefined): SourceNode {
    if (isScalar(node)) return this.#scalar(node, tag);
    const span = this.#spanOf(node);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#item(item, node, tag));
      return { kind: "list", items, span } satisfies ListNode;
    }
    if (isMap(node)) {
      const pairs = node.items.map(({ key, value }) => ({
        key: this.#key(key, span),
        value: this.#item(value, node, tag),
      }));
      return { kind: "map", entries: this.#entries(pairs), span } satisfies MapNode;
    }
    throw yamlError(span, "this is no value", undefined);
  }

  #item(item: unknown, parent: Node, tag: KeptTag | undefined): SourceNode {
    if (item === null || item === undefined) return nothing(this.#source, parent.range?.[0] ?? 0);
    return this.convert(item as Node, tag);
  }

  #scalar(node: Scalar, tag: KeptTag | undefined): ScalarNode {
    const span = this.#spanOf(node);
    const { value, float } = this.#value(node, tag, span);
    return {
      kind: "scalar",
      value,
      span,
      ...(float === undefined ? {} : { float }),
      ...(tag === undefined ? {} : { tag }),
    };
  }

  #value(node: Scalar, tag: KeptTag | undefined, span: Span): PlainValue {
    const text = String(node.source ?? node.value ?? "");
    if (tag !== undefined) return { value: text };
    const standard = node.tag?.startsWith(standardTag) ? node.tag.slice(standardTag.length) : undefined;
    if (standard === undefined) return node.type === Scalar.PLAIN ? plainValue(text) : { value: text };
    if (standard === "str") return { value: text };
    if (standard === "null") return { value: null };
    const resolved = plainValue(text);
    if (standard === "bool" && typeof resolved.value === "boolean") return resolved;
    if (standard === "int" && typeof resolved.value === "number")
      return { value: Math.trunc(resolved.value) };
    if (standard === "float" && typeof resolved.value === "number")
      return { value: resolved.value, float: true };
    throw yamlError(span, `"${text}" is no ${standard}`, undefined);
  }

  #keptTag(node: Node): KeptTag | undefined {
    const tag = "tag" in node ? node.tag : undefined;
    if (tag === undefined || tag === "!") return undefined;
    if (tag === "!vault" || tag === "!vault-encrypted") return "!vault";
    if (tag === "!unsafe") return "!unsafe";
    const fits = isScalar(node) ? /:(?:str|int|float|bool|null)$/ : isMap(node) ? /:map$/ : /:seq$/;
    if (tag.startsWith(standardTag) && fits.test(tag)) return undefined;
    const shown = tag.replace(standardTag, "!!");
    const span = this.#spanOf(node);
    const column = (span.sourceLine ?? "").slice(0, span.column - 1).lastIndexOf(shown) + 1;
    const near = nearest(shown, ["!vault", "!unsafe"]);
    const fix = near === undefined ? `a value that begins with ! is quoted: "${shown}"` : `write ${near}`;
    throw yamlError(
      column > 0 ? { ...span, column, length: shown.length } : span,
      `there is no tag "${shown}" here`,
      "tags are !vault and !unsafe",
      fix,
    );
  }

  #key(key: unknown, parent: Span): ScalarNode {
    const node = key === null || key === undefined ? undefined : this.convert(key as Node, undefined);
    if (node === undefined) return { kind: "scalar", value: null, span: parent };
    if (node.kind === "scalar") return node;
    const braces = /^\{\s*\{/.test(parent.sourceLine?.slice(parent.column - 1) ?? "");
    if (!braces) throw yamlError(node.span, `a ${node.kind} stands as a key`, "keys are words or numbers");
    throw yamlError(parent, unquotedBraces.state, unquotedBraces.why, unquotedBraces.fix);
  }

  /** Merge keys first, as PyYAML: what is written here wins over what is merged. */
  #entries(pairs: readonly MapEntry[]): readonly MapEntry[] {
    const own = new Map<string, MapEntry>();
    const merged = new Map<string, MapEntry>();
    for (const pair of pairs) {
      if (pair.key.value === "<<") {
        for (const entry of mergedEntries(pair)) merged.set(keyText(entry.key), entry);
        this.#expandedNodes += merged.size;
        this.#refuseExplosion(pair.key.span);
        continue;
      }
      const name = keyText(pair.key);
      const first = own.get(name);
      if (first !== undefined) {
        const why = `the first is in line ${first.key.span.line}; only one can count`;
        throw yamlError(
          pair.key.span,
          `the key "${name}" stands twice in one map`,
          why,
          mendTwice[name] ?? "remove one of them",
        );
      }
      own.set(name, pair);
    }
    if (merged.size === 0) return pairs.some(isMergeKey) ? [...own.values()] : pairs;
    return [...new Map([...merged, ...own]).values()];
  }

  #alias(name: string, span: Span): SourceNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw yamlError(
        span,
        `the alias "*${name}" has no anchor before it`,
        "a value that begins with * must be quoted, or else it names an anchor (&) above",
        `put the whole value in quotes: "*${name}"`,
      );
    }
    if (target === "open")
      throw yamlError(span, `the alias "*${name}" stands inside its own anchor`, undefined);
    this.#expandedNodes += target.size;
    this.#refuseExplosion(span);
    return target.node;
  }

  #refuseExplosion(span: Span): void {
    if (this.#expandedNodes <= limits.expandedNodes) return;
    const why = `a file holds at most ${limits.expandedNodes} values, aliases counted as often as they stand`;
    throw yamlError(span, "its aliases multiply without end", why);
  }

  #spanOf(node: Node): Span {
    const [start, end] = node.range ?? [0, 1];
    return this.#source.span(start, end - start);
  }
}

const isMergeKey = ({ key }: MapEntry): boolean => key.value === "<<";

/** Of several maps the first wins. */
function mergedEntries({ key, value }: MapEntry): readonly MapEntry[] {
  const maps = value.kind === "list" ? value.items.toReversed() : [value];
  return maps.flatMap((map) => {
    if (map.kind === "map") return map.entries;
    throw yamlError(key.span, `"<<" merges a ${map.kind}`, '"<<" takes a map or a list of maps');
  });
}
