/** include_* (at their turn) and import_* (now), of tasks and of roles. */
import { dirname, join, resolve } from "node:path";
import { ErrorCollector, ProvisionError } from "../../base/errors.ts";
import { fileFix } from "../../base/file-fix.ts";
import type { MapEntry, MapNode, SourceNode } from "../source/node.ts";
import { splitKeyValues } from "../source/split-key-values.ts";
import { baseDirOf, isFile, type LoadContext, readYamlFile } from "./load-context.ts";
import { loadLoop } from "./load-loop.ts";
import { loadRole, roleBlock } from "./load-role.ts";
import type { Block, IncludeRole, IncludeTasks, Statement } from "./model.ts";
import { readInherited } from "./read-inherited.ts";
import {
  checkTruth,
  keyOf,
  nodeAt,
  overlay,
  pairEntries,
  partSpan,
  readListen,
  readMap,
  readText,
  textNode,
  unknownKeyword,
  wrongShape,
} from "./read-values.ts";

const short = (key: string): string => key.replace(/^ansible\.(builtin|legacy)\./, "");

/** `include:` is the spelling before Ansible 2.4; it is dynamic when it loops, as it was. */
export const isIncludeKeyword = (key: string): boolean =>
  ["include_tasks", "include_role"].includes(short(key));
export const isImportKeyword = (key: string): boolean =>
  ["import_tasks", "import_role", "include"].includes(short(key));

export interface IncludeRequest {
  readonly map: MapNode;
  readonly entry: MapEntry;
  readonly context: LoadContext;
  readonly loadStatements: (what: string, node: SourceNode | undefined, context: LoadContext) => Statement[];
}

/** Arguments of an include, in any of its forms: `x: file`, `x: {file: …}`, `x: file a=1`, with `args:` beside it. */
function argumentsOf({ map, entry, context }: IncludeRequest, freeForm: "file" | "name"): MapNode {
  const beside = nodeAt(map, "args");
  const args = overlay(
    beside === undefined ? undefined : readMap("args", beside),
    writtenArguments(entry, freeForm),
  );
  const given: MapNode = args ?? { kind: "map", entries: [], span: entry.value.span };
  if (freeForm === "name") checkRoleArguments(entry, given, context);
  else if (entry.value.kind === "map") checkFileArguments(entry, given, context);
  return given;
}

const roleArguments = [
  "name",
  "tasks_from",
  "vars_from",
  "defaults_from",
  "handlers_from",
  "public",
  "apply",
  "allow_duplicates",
  "rolespec_validate",
];

const checkRoleArguments = (entry: MapEntry, args: MapNode, context: LoadContext): void => {
  // `role:` is the older spelling of `name:`.
  for (const inner of args.entries) {
    if (keyOf(inner) !== "role" && !roleArguments.includes(keyOf(inner)))
      context.errors.add(unknownKeyword(`"${keyOf(entry)}"`, inner, roleArguments));
  }
};

const checkFileArguments = (entry: MapEntry, args: MapNode, context: LoadContext): void => {
  for (const inner of args.entries) {
    if (!["file", "apply", "_raw_params"].includes(keyOf(inner)))
      context.errors.add(unknownKeyword(`"${keyOf(entry)}"`, inner, ["file", "apply"]));
  }
};

function writtenArguments(entry: MapEntry, freeForm: string): MapNode {
  const { value } = entry;
  if (value.kind === "map") return value;
  if (value.kind !== "scalar" || value.value === null) throw wrongShape(keyOf(entry), "a name", value);
  const split = splitKeyValues(String(value.value));
  const pairs = "problem" in split ? [] : split.pairs;
  const rest = "problem" in split ? String(value.value) : split.rest;
  const entries = pairEntries(pairs, value.span);
  if (rest !== "")
    entries.unshift({
      key: textNode(freeForm, value.span),
      value: textNode(rest, partSpan(value.span, rest)),
    });
  return { kind: "map", entries, span: value.span };
}

function needed(args: MapNode, key: string, entry: MapEntry): SourceNode {
  const node = nodeAt(args, key);
  if (node !== undefined) return node;
  throw new ProvisionError({
    code: "bad-task",
    action: `read "${keyOf(entry)}"`,
    state: `it has no "${key}"`,
    span: entry.key.span,
    why: `"${keyOf(entry)}" must say which ${key === "name" ? "role" : "file"} it takes`,
  });
}

function commonOf(map: MapNode, args: MapNode, context: LoadContext) {
  const apply = nodeAt(args, "apply");
  const register = nodeAt(map, "register");
  return {
    ...readInherited(map),
    varsAreParams: true as const,
    name: nodeAt(map, "name"),
    span: map.span,
    apply: apply === undefined ? undefined : readMap("apply", apply),
    loop: loadLoop(map),
    register: register === undefined ? undefined : readText("register", register),
    role: context.role,
    baseDir: baseDirOf(context),
  };
}

export function includeStatement(request: IncludeRequest): IncludeTasks | IncludeRole {
  return short(keyOf(request.entry)) === "include_role" ? includeRole(request) : includeTasks(request);
}

function includeTasks(request: IncludeRequest): IncludeTasks {
  const { map, entry, context, loadStatements } = request;
  const args = argumentsOf(request, "file");
  return {
    kind: "include-tasks",
    ...commonOf(map, args, context),
    ...withVars(overlay(readInherited(map).vars, paramsOf(args))),
    file: needed(args, "file", entry),
    listen: readListen(map, context.inHandlers),
    load: (path) => {
      const handlers: Statement[] = [];
      const errors = new ErrorCollector();
      const inner = {
        ...context,
        errors,
        addHandlers: (more: readonly Statement[]) => handlers.push(...more),
      };
      const statements = readTaskFile({ path, entry, context: inner, loadStatements });
      errors.throwIfAny();
      return handlers.length === 0 ? statements : [bracket(statements, handlers, request)];
    },
  };
}

const bracket = (
  block: readonly Statement[],
  handlers: readonly Statement[],
  { map, context }: IncludeRequest,
): Block => ({
  kind: "block",
  tags: [],
  when: [],
  name: "",
  span: map.span,
  block,
  rescue: [],
  always: [],
  handlers,
  notify: [],
  listen: [],
  role: context.role,
});

function includeRole(request: IncludeRequest): IncludeRole {
  const { map, entry, context } = request;
  const args = argumentsOf(request, "name");
  const validates = isFlag(args, "rolespec_validate", true);
  return {
    kind: "include-role",
    ...commonOf(map, args, context),
    roleName: nodeAt(args, "role") ?? needed(args, "name", entry),
    tasksFrom: nodeAt(args, "tasks_from"),
    varsFrom: nodeAt(args, "vars_from"),
    defaultsFrom: nodeAt(args, "defaults_from"),
    handlersFrom: nodeAt(args, "handlers_from"),
    public: truthAt(args, "public"),
    allowDuplicates: truthAt(args, "allow_duplicates"),
    load: ({ role, ...from }) => {
      const errors = new ErrorCollector();
      const loaded = loadRole({ name: role, span: entry.key.span, from, validates }, { ...context, errors });
      errors.throwIfAny();
      return { kind: "role", tags: [], when: [], role: loaded, params: undefined, span: map.span };
    },
  };
}

/** Rendered by each host, when it includes. */
function truthAt(args: MapNode, key: string): SourceNode | undefined {
  const node = nodeAt(args, key);
  if (node !== undefined) checkTruth(key, node);
  return node;
}

/** What is known before any host is asked: a template here is not read. */
function isFlag(args: MapNode, key: string, otherwise: boolean): boolean {
  const node = nodeAt(args, key);
  if (node === undefined) return otherwise;
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  throw wrongShape(key, "true or false", node);
}

export function importStatement(request: IncludeRequest): Statement {
  const { entry, map } = request;
  const isOldInclude = short(keyOf(entry)) === "include";
  const hangsOnVariables =
    entry.value.kind === "scalar" && String(entry.value.value).split("=")[0]?.includes("{{");
  if (isOldInclude && (hangsOnVariables || loadLoop(map) !== undefined)) return includeTasks(request);
  if (loadLoop(map) !== undefined) throw loopedImport(entry);
  return short(keyOf(entry)) === "import_role" ? importRole(request) : importTasks(request);
}

function importTasks(request: IncludeRequest): Block {
  const { map, entry, context, loadStatements } = request;
  const args = argumentsOf(request, "file");
  const node = needed(args, "file", entry);
  const path = literal(keyOf(entry), readText("file", node), node);
  const vars = paramsOf(args);
  const inherited = readInherited(map);
  return {
    kind: "block",
    ...inherited,
    ...withVars(overlay(vars, inherited.vars)),
    ...(short(keyOf(entry)) === "include" ? { varsAreParams: true } : {}),
    name: "",
    span: map.span,
    block: readTaskFile({ path, entry, context, loadStatements }),
    rescue: [],
    always: [],
    notify: [],
    listen: [],
    role: context.role,
  };
}

/** `include: file.yml a=1`: what is no argument of the import itself is a variable. */
function paramsOf(args: MapNode): MapNode | undefined {
  const entries = args.entries.filter((entry) => !["file", "apply"].includes(keyOf(entry)));
  return entries.length === 0 ? undefined : { ...args, entries };
}

const withVars = (vars: MapNode | undefined): { readonly vars?: MapNode } =>
  vars === undefined ? {} : { vars };

function importRole(request: IncludeRequest): Block {
  const { map, entry, context } = request;
  const args = argumentsOf(request, "name");
  const node = nodeAt(args, "role") ?? needed(args, "name", entry);
  const from = (key: string): string | undefined => {
    const value = nodeAt(args, key);
    return value === undefined ? undefined : readText(key, value);
  };
  const role = loadRole(
    {
      name: literal("import_role", readText("name", node), node),
      span: node.span,
      from: {
        tasksFrom: from("tasks_from"),
        varsFrom: from("vars_from"),
        defaultsFrom: from("defaults_from"),
        handlersFrom: from("handlers_from"),
      },
      validates: isFlag(args, "rolespec_validate", true),
    },
    context,
  );
  const inherited = readInherited(map);
  return { ...roleBlock(role, map.span, context, inherited), ...inherited };
}

function literal(keyword: string, text: string, node: SourceNode): string {
  if (!text.includes("{{")) return text;
  throw new ProvisionError({
    code: "bad-task",
    action: `read "${keyword}"`,
    state: `"${text}" holds a variable`,
    span: node.span,
    why: "an import is read before any host is asked, so its name cannot depend on variables",
    fix: `write "${keyword.replace("import", "include")}" instead of "${keyword}"`,
  });
}

const loopedImport = (entry: MapEntry): ProvisionError =>
  new ProvisionError({
    code: "bad-task",
    action: `read "${keyOf(entry)}"`,
    state: "it has a loop",
    span: entry.key.span,
    why: "an import is read once, before any host is asked",
    fix: `write "${keyOf(entry).replace("import", "include")}" instead of "${keyOf(entry)}"`,
  });

interface TaskFile extends Omit<IncludeRequest, "map"> {
  readonly path: string;
}

const maxImportDepth = 50;

function readTaskFile({ path, entry, context, loadStatements }: TaskFile): Statement[] {
  const file = findTaskFile(path, context);
  if (file === undefined) {
    throw new ProvisionError({
      code: "missing-file",
      action: `read "${keyOf(entry)}"`,
      state: `there is no file "${path}"`,
      span: entry.value.span,
      why: `looked in ${taskFolders(context).join(", ")}`,
      fix: fileFix(
        path,
        taskFolders(context).map((folder) => join(folder, path)),
      ),
    });
  }
  if (context.importing.includes(file) || context.importing.length > maxImportDepth) {
    throw new ProvisionError({
      code: "bad-task",
      action: `read "${keyOf(entry)}"`,
      state: `"${path}" imports itself`,
      span: entry.value.span,
      why: [...context.importing, file].join(" → "),
    });
  }
  const inner = { ...context, fileDir: dirname(file), importing: [...context.importing, file] };
  return loadStatements(`the tasks of "${path}"`, readYamlFile(file, context.options), inner);
}

function taskFolders({ role, inHandlers, fileDir, playbookDir }: LoadContext): string[] {
  const ofRole =
    role === undefined ? [] : [...(inHandlers ? [join(role.dir, "handlers")] : []), join(role.dir, "tasks")];
  return [...new Set([fileDir, ...ofRole, ...(role === undefined ? [] : [role.dir]), playbookDir])];
}

const findTaskFile = (path: string, context: LoadContext): string | undefined =>
  taskFolders(context)
    .map((folder) => resolve(folder, path))
    .find(isFile);
