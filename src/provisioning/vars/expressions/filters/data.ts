/** JSON, YAML and base64. */
import { ProvisionError } from "../../../../base/errors.ts";
import type { SourceNode } from "../../../source/node.ts";
import { parseYaml } from "../../../source/parse-yaml.ts";
import { compileQuery } from "../compile.ts";
import { jsonText } from "../json-text.ts";
import { parsePythonJson } from "../parse-json.ts";
import { asText, type Filter, flagOf, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { Dict, Fault, float, isList, isNumeric, toNumber, type Value } from "../value.ts";
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
    width: widthOf(given.width),
  });
}

const usualWidth = 80;
function widthOf(given: Value | undefined): number {
  if (given !== undefined && isNumeric(given) && !Number.isFinite(toNumber(given)))
    return Number.MAX_SAFE_INTEGER;
  return wholeOf(given, usualWidth);
}

function guarded<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault) throw error;
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Fault(`the text is no ${what}: ${reason}`);
  }
}

/** Read as playbooks are read, so that yes is true and 010 is 8, and in any depth and size a playbook may have. */
function yamlValue(text: string): Value {
  try {
    return ofNode(parseYaml(text, "text"));
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    const { state, span } = error;
    throw new Fault(`the text is no YAML: ${state}, in its line ${span?.line ?? 1}`);
  }
}
function ofNode(node: SourceNode): Value {
  if (node.kind === "list") return node.items.map(ofNode);
  if (node.kind === "map")
    return Dict.of(node.entries.map(({ key, value }) => [key.value, ofNode(value)] as const));
  return node.float === true ? float(Number(node.value)) : node.value;
}

const fromYaml: Filter = (input) => (typeof input === "string" ? yamlValue(input) : input);

/** What `from_yaml_all` reads: the documents of one text. */
const fromYamlAll: Filter = (input) => {
  const [first = "", ...rest] = asText(input).split(/^---(?=\s|$)|^\.\.\.[ \t]*$/m);
  return [...(first.trim() === "" ? [] : [first]), ...rest].map(yamlValue);
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
  json_query: (input, call) => {
    const [query] = parameters(call, ["expr"], 1);
    return compileQuery(textOf(query, "", "a JMESPath expression"))(input);
  },
  b64encode: (input, call) => {
    const [encoding] = parameters(call, ["encoding"]);
    const latin = /^(?:latin-?1|iso-8859-1)$/i.test(textOf(encoding, "utf-8"));
    const wide = /^utf-?16-?le$/i.test(textOf(encoding, "utf-8"));
    return Buffer.from(asText(input), latin ? "latin1" : wide ? "utf16le" : "utf8").toString("base64");
  },
  b64decode: (input, call) => guarded("base64", () => decodeBase64(input, call)),
};
