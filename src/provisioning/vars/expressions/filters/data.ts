/** JSON, YAML and base64. */
import { parse, parseAllDocuments } from "yaml";
import type { JsonValue } from "../../../../base/json.ts";
import { jsonText } from "../json-text.ts";
import { parsePythonJson } from "../parse-json.ts";
import { asText, type Filter, flagOf, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { Fault, isList, type Value } from "../value.ts";
import { yamlText } from "../yaml-text.ts";

function json(
  input: Value,
  call: Invocation,
  usual: { indent?: number; sortKeys: boolean; ascii: boolean },
): string {
  const given = Object.fromEntries(call.kwargs);
  const indent = call.args[0] ?? given.indent;
  const { separators } = given;
  const pair =
    separators !== undefined && isList(separators) ? separators.map((part) => textOf(part, "")) : undefined;
  return jsonText(input, {
    indent: indent === undefined || indent === null ? usual.indent : wholeOf(indent, 4),
    sortKeys: flagOf(given.sort_keys, usual.sortKeys),
    ascii: flagOf(given.ensure_ascii, usual.ascii),
    separators: pair === undefined ? undefined : [pair[0] ?? ", ", pair[1] ?? ": "],
  });
}

function yaml(input: Value, call: Invocation, usual: { indent: number; style: "block" | "leaves" }): string {
  const given = Object.fromEntries(call.kwargs);
  const flow = given.default_flow_style;
  return yamlText(input, {
    indent: Math.max(2, Math.min(9, wholeOf(call.args[0] ?? given.indent, usual.indent))),
    style:
      flow === undefined ? usual.style : flow === null ? "leaves" : flagOf(flow, false) ? "flow" : "block",
    sortKeys: flagOf(given.sort_keys, true),
    allowUnicode: flagOf(given.allow_unicode, true),
  });
}

const yamlOptions = { version: "1.1", merge: true, maxAliasCount: 1000 } as const;
function guarded<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault) throw error;
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Fault(`the text is no ${what}: ${reason}`);
  }
}

const fromYaml: Filter = (input) =>
  typeof input === "string" ? guarded("YAML", () => parse(input, yamlOptions) as JsonValue) : input;

/** What `from_yaml_all` reads: the documents of one text. */
const fromYamlAll: Filter = (input) => {
  const text = asText(input);
  return guarded("YAML", () => {
    const documents = parseAllDocuments(text, yamlOptions);
    if (!Array.isArray(documents)) return [];
    return documents.map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as JsonValue;
    });
  });
};

const decodeBase64: Filter = (input, call) => {
  const [encoding] = parameters(call, ["encoding"]);
  const text = asText(input).replace(/\s+/g, "");
  if (!/^[\w+/-]*={0,2}$/.test(text)) throw new Fault("the text is no base64");
  const bytes = Buffer.from(text, "base64");
  return new TextDecoder(textOf(encoding, "utf-8"), { fatal: true, ignoreBOM: true }).decode(bytes);
};

const markup: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "'": "\\u0027",
};

export const dataFilters: Readonly<Record<string, Filter>> = {
  to_json: (input, call) => json(input, call, { sortKeys: false, ascii: true }),
  to_nice_json: (input, call) => json(input, call, { indent: 4, sortKeys: true, ascii: true }),
  tojson: (input, call) =>
    json(input, call, { sortKeys: true, ascii: true }).replace(/[<>&']/g, (char) => markup[char] ?? char),
  from_json: (input) => (typeof input === "string" ? guarded("JSON", () => parsePythonJson(input)) : input),
  to_yaml: (input, call) => yaml(input, call, { indent: 2, style: "leaves" }),
  to_nice_yaml: (input, call) => yaml(input, call, { indent: 4, style: "block" }),
  from_yaml: fromYaml,
  from_yaml_all: fromYamlAll,
  b64encode: (input, call) => {
    const [encoding] = parameters(call, ["encoding"]);
    const latin = /^(?:latin-?1|iso-8859-1)$/i.test(textOf(encoding, "utf-8"));
    const wide = /^utf-?16-?le$/i.test(textOf(encoding, "utf-8"));
    return Buffer.from(asText(input), latin ? "latin1" : wide ? "utf16le" : "utf8").toString("base64");
  },
  b64decode: (input, call) => guarded("base64", () => decodeBase64(input, call)),
};
