/** Which module a task calls, and with what: `copy: {…}`, `copy: src=a dest=b`, `action: copy src=a`, `command: ls`. */
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { MapEntry, MapNode, ScalarNode, SourceNode } from "../source/node.ts";
import { splitKeyValues } from "../source/split-key-values.ts";
import type { LoadContext } from "./load-context.ts";
import type { TaskArgs } from "./model.ts";
import {
  entryOf,
  keyOf,
  nodeAt,
  pairEntries,
  partSpan,
  readMap,
  readText,
  textNode,
  unknownKeyword,
  wrongShape,
} from "./read-values.ts";
import { everyTaskKeyword } from "./task-keywords.ts";

export interface Action {
  /** As written. */
  readonly action: string;
  /** The short name. */
  readonly module: string;
  readonly args: TaskArgs;
  readonly isLocal: boolean;
}

const wholeTemplate = /^\s*\{\{[\s\S]*\}\}\s*$/;

/** `candidates`: the entries of a task that are no keyword. Throws ProvisionError. */
export function readAction(map: MapNode, candidates: readonly MapEntry[], context: LoadContext): Action {
  const old = entryOf(map, "action") ?? entryOf(map, "local_action");
  if (old !== undefined) return readOldAction(old, map, context);
  const modules = candidates.filter((entry) => context.options.catalogue.resolve(keyOf(entry)) !== undefined);
  const [entry, second] = modules;
  if (entry === undefined) throw noModule(map, candidates, context);
  if (second !== undefined) throw twoModules(entry, second);
  const written = keyOf(entry);
  const module = context.options.catalogue.resolve(written) ?? written;
  return {
    action: written,
    module,
    isLocal: false,
    args: withArgs(readArgs(module, entry.value, context), map),
  };
}

/** `action: module args`, `action: {module: copy, src: a}`, and `local_action:` which also delegates. */
function readOldAction(entry: MapEntry, map: MapNode, context: LoadContext): Action {
  const { catalogue } = context.options;
  const isLocal = keyOf(entry) === "local_action";
  const { value } = entry;
  if (value.kind === "map") {
    const named = nodeAt(value, "module") ?? value;
    const written = readText("module", named);
    const beside = nodeAt(value, "args");
    const own = value.entries.filter((inner) => !["module", "args"].includes(keyOf(inner)));
    const nested = beside === undefined ? [] : readMap("args", beside).entries;
    const rest = { ...value, entries: [...own, ...nested] };
    const module = catalogue.resolve(written) ?? unknownModule(written, named, context);
    return { action: written, module, isLocal, args: withArgs(readArgs(module, rest, context), map) };
  }
  const text = readText(keyOf(entry), value);
  const [, written = "", rest = ""] = /^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const module =
    catalogue.resolve(written) ??
    unknownModule(written, textNode(written, partSpan(value.span, written)), context);
  return {
    action: written,
    module,
    isLocal,
    args: withArgs(readArgs(module, textNode(rest, partSpan(value.span, rest)), context), map),
  };
}

function readArgs(module: string, value: SourceNode, context: LoadContext): TaskArgs {
  const empty: MapNode = { kind: "map", entries: [], span: value.span };
  if (value.kind === "map") return { map: value, freeForm: undefined, variable: undefined };
  if (value.kind === "list") {
    if (context.options.catalogue.takesFreeForm(module))
      return { map: empty, freeForm: value, variable: undefined };
    throw wrongShape(module, "a mapping of arguments", value);
  }
  if (value.value === null) return { map: empty, freeForm: undefined, variable: undefined };
  const text = String(value.value);
  const takesText = context.options.catalogue.takesFreeForm(module);
  if (!takesText && wholeTemplate.test(text)) return { map: empty, freeForm: undefined, variable: value };
  return splitText(module, text, value, context);
}

/** Never taken out of a command's text: `cmd=$1; …` is sh. */
const commandItself: ReadonlySet<string> = new Set(["cmd", "argv", "free_form", "_raw_params"]);

function splitText(module: string, text: string, value: ScalarNode, context: LoadContext): TaskArgs {
  const { catalogue } = context.options;
  const takesText = catalogue.takesFreeForm(module);
  const names = catalogue.argumentNames(module);
  const keys = takesText ? names?.filter((name) => !commandItself.has(name)) : undefined;
  const split = splitKeyValues(text, keys === undefined ? undefined : new Set(keys));
  if ("problem" in split) {
    if (takesText)
      return { map: { kind: "map", entries: [], span: value.span }, freeForm: value, variable: undefined };
    throw new ProvisionError({
      code: "bad-argument",
      action: `read the arguments of "${module}"`,
      state: split.problem === "open-quote" ? "a quote is not closed" : '"{{" is not closed',
      span: value.span,
      why: "arguments in one line are written as key=value, with quotes around values that hold blanks",
    });
  }
  const entries = pairEntries(split.pairs, value.span);
  if (split.rest !== "" && !takesText) throw looseText(module, split.rest, value);
  const freeForm = split.rest === "" ? undefined : textNode(split.rest, partSpan(value.span, split.rest));
  return { map: { kind: "map", entries, span: value.span }, freeForm, variable: undefined };
}

const looseText = (module: string, rest: string, value: ScalarNode): ProvisionError =>
  new ProvisionError({
    code: "bad-argument",
    action: `read the arguments of "${module}"`,
    state: `"${rest}" is no key=value`,
    span: value.span,
    why: `module "${module}" takes named arguments only`,
    fix: unquotedFix(rest, value) ?? looseFix(rest, module),
  });

/** `msg=two words`: what stands between the value and the next argument belongs to it. */
function unquotedFix(rest: string, { value }: ScalarNode): string | undefined {
  const text = String(value);
  const at = text.indexOf(rest);
  const [, name, begun] = /(?:^|\s)(\w+)=([^\s"'=]+)\s+$/.exec(text.slice(0, Math.max(at, 0))) ?? [];
  return name === undefined ? undefined : `write ${name}="${begun} ${rest}"`;
}

function looseFix(rest: string, module: string): string {
  const [, name, value] = /^(\w+) *[=:] *([^\s=]+)/.exec(rest) ?? [];
  return name === undefined
    ? `name=${rest.split(/\s/)[0]} or the like: provision docs ${module}`
    : `write "${name}: ${value}", a line each, below the module`;
}

/** `args:` beside the module: the module's own arguments win. */
function withArgs(args: TaskArgs, map: MapNode): TaskArgs {
  const more = nodeAt(map, "args");
  if (more === undefined) return args;
  if (more.kind === "scalar" && typeof more.value === "string") return { ...args, variable: more };
  const extra = readMap("args", more);
  const own = new Set(args.map.entries.map(keyOf));
  const entries = [...args.map.entries, ...extra.entries.filter((entry) => !own.has(keyOf(entry)))];
  return { ...args, map: { ...args.map, entries } };
}

function noModule(map: MapNode, candidates: readonly MapEntry[], context: LoadContext): ProvisionError {
  const [first] = candidates;
  if (first === undefined) {
    return new ProvisionError({
      code: "bad-task",
      action: "read a task",
      state: "it names no module",
      span: map.span,
      why: "a task calls one module: `- name: …` and then e.g. `copy: {src: a, dest: /b}`",
    });
  }
  const likely = candidates.find((entry) => !isMisspeltKeyword(keyOf(entry), context)) ?? first;
  for (const entry of candidates) {
    if (entry !== likely) context.errors.add(unknownKeyword("a task", entry, everyTaskKeyword));
  }
  if (isMisspeltKeyword(keyOf(likely), context)) return unknownKeyword("a task", likely, everyTaskKeyword);
  return moduleError(keyOf(likely), likely.key, context);
}

/** Nearer to a keyword than to any module. */
function isMisspeltKeyword(name: string, context: LoadContext): boolean {
  const near = nearest(name, [...everyTaskKeyword, ...context.options.catalogue.names]);
  return near !== undefined && everyTaskKeyword.includes(near);
}

function unknownModule(name: string, node: SourceNode, context: LoadContext): never {
  throw moduleError(name, node, context);
}

function moduleError(name: string, node: SourceNode, context: LoadContext): ProvisionError {
  const short = name.slice(name.lastIndexOf(".") + 1);
  const near = insteadOf[short] ?? nearest(short, context.options.catalogue.names);
  return new ProvisionError({
    code: "unknown-module",
    action: "read a task",
    state: `there is no module "${name}"`,
    span: node.span,
    why:
      elsewhere[short]?.why ??
      "modules are built in: provision docs lists them, and command runs anything else",
    fix:
      elsewhere[short]?.fix ??
      (near === undefined ? "provision docs" : `write "${near}" instead of "${name}"`),
  });
}

/** What stands beside tasks, or beside plays. */
const elsewhere: Readonly<Record<string, { readonly why: string; readonly fix: string }>> = {
  hosts: { why: "a play stands among tasks", fix: 'begin it in the first column: "- hosts: …"' },
  import_playbook: {
    why: "it stands beside plays, not among the tasks of one",
    fix: 'begin it in the first column: "- import_playbook: …"',
  },
  roles: { why: '"roles" belongs to a play, beside "hosts"', fix: "as a task: include_role: {name: …}" },
};

/** Modules of Ansible whose work another one does here. */
const insteadOf: Readonly<Record<string, string>> = { yum: "dnf", zypper: "package", pacman: "package" };

/** `copy:` and below it, in its own column, `src:`. */
export const strayArgument = (module: string, entry: MapEntry): ProvisionError =>
  new ProvisionError({
    code: "unknown-keyword",
    action: "read a task",
    state: `there is no keyword "${keyOf(entry)}"`,
    span: entry.key.span,
    why: `it is an argument of "${module}"`,
    fix: `indent it below "${module}:"`,
  });

const twoModules = (first: MapEntry, second: MapEntry): ProvisionError =>
  new ProvisionError({
    code: "bad-task",
    action: "read a task",
    state: `it calls two modules, "${keyOf(first)}" and "${keyOf(second)}"`,
    span: second.key.span,
    why: "a task calls one module; a dash is missing before the second, or it is indented wrongly",
    fix: `write "- ${keyOf(second)}:" for a task of its own`,
  });
