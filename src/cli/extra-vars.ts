/** `-e` in its three forms: name=value words, a JSON or YAML mapping, @file. Later ones win. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { ProvisionError, type Span } from "../base/errors.ts";
import { fileFix } from "../base/file-fix.ts";
import { readVarsFile } from "../provisioning/inventory/vars-files.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import { parseYaml } from "../provisioning/source/parse-yaml.ts";
import { splitKeyValues } from "../provisioning/source/split-key-values.ts";
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
  return pairsOf(text);
}

/** As Ansible cuts `key=value` words: quotes around a whole value come off, braces hold together. */
function pairsOf(text: string): [string, SourceNode][] {
  const split = splitKeyValues(text);
  if ("problem" in split) {
    const what = split.problem === "open-quote" ? "a quote" : "a pair of braces";
    throw badUsage(`-e "${text}" has ${what} that does not end`);
  }
  const [word] = split.rest.split(/\s+/);
  if (word !== undefined && word !== "") {
    throw badUsage(
      `-e "${text}": "${word}" is no name=value`,
      '-e takes name=value, {"name": …} or @file; a value with blanks is quoted',
      meant(text, word),
    );
  }
  return split.pairs.map(({ key, value }) => [key, { kind: "scalar", value, span: place }]);
}

function meant(text: string, word: string): string {
  if (/\.(?:ya?ml|json)$/.test(word)) return `-e @${word}`;
  const [, name, value] = /^(\w+): *(\S.*)$/.exec(text) ?? [];
  if (name !== undefined) return `-e '${name}=${value}'`;
  return `-e '${/^\w+$/.test(word) ? `${word}=…` : '{"name": "value"}'}'`;
}

const missing = (file: string): ProvisionError =>
  new ProvisionError({
    code: "missing-file",
    action: `read variables from "${file}"`,
    state: "it does not exist",
    why: "-e @FILE reads a YAML or JSON file",
    fix: fileFix(file, [file]),
  });

function membersOf(node: SourceNode, shown: string): [string, SourceNode][] {
  if (node.kind === "map") return node.entries.map(({ key, value }) => [String(key.value), value]);
  if (node.kind === "scalar" && node.value === null) return [];
  throw badUsage(`-e "${shown}" holds no mapping`, "-e takes name: value pairs");
}
