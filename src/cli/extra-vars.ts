/** `-e` in its three forms: name=value words, a JSON or YAML mapping, @file. Later ones win. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { ProvisionError, type Span } from "../base/errors.ts";
import { readVarsFile } from "../provisioning/inventory/vars-files.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import { parseYaml } from "../provisioning/source/parse-yaml.ts";
import type { Variable } from "../provisioning/vars/variable.ts";
import { badUsage } from "./parse-options.ts";

export const extraVarsLayer = "extra vars (-e)";

const place: Span = { file: "--extra-vars", line: 1, column: 1 };

/** `decrypt` opens files that are encrypted as a whole. */
export function readExtraVars(
  texts: readonly string[],
  cwd: string,
  decrypt?: DecryptText,
): ReadonlyMap<string, Variable> {
  const vars = new Map<string, Variable>();
  for (const text of texts) {
    for (const [name, node] of readOne(text.trim(), cwd, decrypt)) {
      vars.set(name, { kind: "template", node, origin: { layer: extraVarsLayer, span: node.span } });
    }
  }
  return vars;
}

function readOne(text: string, cwd: string, decrypt?: DecryptText): Iterable<[string, SourceNode]> {
  if (text === "") return [];
  if (text.startsWith("@")) {
    const file = resolve(cwd, text.slice(1).replace(/^~(?=\/)/, homedir()));
    if (!existsSync(file)) throw missing(file);
    return readVarsFile(file, decrypt).vars;
  }
  if (/^[{[]/.test(text)) return membersOf(parseYaml(text, place.file), text);
  return splitWords(text).map((word) => {
    const equals = word.indexOf("=");
    if (equals <= 0) {
      throw badUsage(
        `-e "${text}": "${word}" is no name=value`,
        '-e takes name=value, {"name": …} or @file',
        `-e '${word}=…'`,
      );
    }
    return [word.slice(0, equals), { kind: "scalar", value: word.slice(equals + 1), span: place }];
  });
}

const missing = (file: string): ProvisionError =>
  new ProvisionError({
    code: "missing-file",
    action: `read variables from "${file}"`,
    state: "it does not exist",
    why: "-e @FILE reads a YAML or JSON file",
  });

function membersOf(node: SourceNode, shown: string): [string, SourceNode][] {
  if (node.kind === "map") return node.entries.map(({ key, value }) => [String(key.value), value]);
  if (node.kind === "scalar" && node.value === null) return [];
  throw badUsage(`-e "${shown}" holds no mapping`, "-e takes name: value pairs");
}

/** As sh splits words: quotes and backslashes; what is quoted keeps its spaces. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "\\" && quote !== "'") word = (word ?? "") + (text[++at] ?? "");
    else if (quote !== "" && char === quote) quote = "";
    else if (quote === "" && (char === "'" || char === '"')) {
      quote = char;
      word ??= "";
    } else if (quote === "" && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") throw badUsage(`-e "${text}" has a quote that does not end`);
  if (word !== undefined) words.push(word);
  return words;
}
