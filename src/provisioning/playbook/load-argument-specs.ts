/** meta/argument_specs.yml of a role → a task before its own that holds its variables against what is said there. */
import type { MapNode, SourceNode } from "../source/node.ts";
import type { LoadContext } from "./load-context.ts";
import type { Role, Task } from "./model.ts";
import { checkChoice, keyOf, nodeAt, readMap, textNode, unknownKeyword } from "./read-values.ts";

const module = "validate_argument_spec";

/** Undefined: nothing is said of this entry point. `specs` is the file's, or that of meta/main.yml. */
export function validationTask(
  role: Role,
  entryPoint: string,
  specs: SourceNode | undefined,
  context: LoadContext,
): Task | undefined {
  const points = specs?.kind === "map" ? nodeAt(specs, "argument_specs") : undefined;
  if (points === undefined) return undefined;
  const all = readMap("argument_specs", points);
  for (const { value } of all.entries) context.errors.attempt(() => checkEntryPoint(value, context));
  const found = nodeAt(all, entryPoint);
  if (found === undefined) return undefined;
  const spec = readMap(`argument_specs of ${entryPoint}`, found);
  const about = nodeAt(spec, "short_description");
  const said = about?.kind === "scalar" && about.value !== null ? ` - ${about.value}` : "";
  const title = `Validating arguments against arg spec '${entryPoint}'${said}`;
  return taskOf(role, title, argumentsOf(role, entryPoint, spec));
}

function taskOf(role: Role, title: string, args: MapNode): Task {
  return {
    kind: "task",
    name: textNode(title, args.span),
    span: args.span,
    tags: ["always"],
    when: [],
    action: module,
    module,
    args: { map: args, freeForm: undefined, variable: undefined },
    loop: undefined,
    register: undefined,
    changedWhen: undefined,
    failedWhen: undefined,
    until: undefined,
    notify: [],
    listen: [],
    role,
    baseDir: role.dir,
  };
}

function argumentsOf(role: Role, entryPoint: string, { entries, span }: MapNode): MapNode {
  const map = (inner: MapNode["entries"]): MapNode => ({ kind: "map", entries: inner, span });
  const entry = (key: string, value: SourceNode) => ({ key: textNode(key, span), value });
  const options = entries.find((each) => keyOf(each) === "options")?.value ?? map([]);
  const place = [
    ["type", "role"],
    ["name", role.name],
    ["path", role.dir],
    ["argument_spec_name", entryPoint],
  ] as const;
  return map([
    entry("argument_spec", options),
    entry("validate_args_context", map(place.map(([key, value]) => entry(key, textNode(value, span))))),
  ]);
}

const pointKeywords = [
  "short_description",
  "description",
  "author",
  "options",
  "version_added",
  "seealso",
  "examples",
  "notes",
  "deprecated",
];
const optionKeywords = [
  "type",
  "required",
  "default",
  "choices",
  "elements",
  "options",
  "description",
  "no_log",
  "version_added",
  "aliases",
  "removed_in_version",
  "removed_at_date",
  "removed_from_collection",
  "deprecated_aliases",
  "apply_defaults",
  "mutually_exclusive",
  "required_together",
  "required_one_of",
  "required_if",
  "required_by",
  "fallback",
];
const types = [
  "str",
  "int",
  "float",
  "bool",
  "list",
  "dict",
  "path",
  "raw",
  "json",
  "jsonarg",
  "bytes",
  "bits",
];

function checkEntryPoint(node: SourceNode, context: LoadContext): void {
  const point = readMap("argument_specs", node);
  for (const entry of point.entries)
    if (!pointKeywords.includes(keyOf(entry)))
      context.errors.add(unknownKeyword("argument_specs", entry, pointKeywords));
  checkOptions(nodeAt(point, "options"), context);
}

function checkOptions(node: SourceNode | undefined, context: LoadContext): void {
  if (node === undefined) return;
  for (const { key, value } of readMap("options", node).entries) {
    const option = readMap(`option "${key.value}"`, value);
    for (const entry of option.entries)
      if (!optionKeywords.includes(keyOf(entry)))
        context.errors.add(unknownKeyword(`option "${key.value}"`, entry, optionKeywords));
    for (const what of ["type", "elements"])
      context.errors.attempt(() => checkChoice(what, nodeAt(option, what), types));
    checkOptions(nodeAt(option, "options"), context);
  }
}
