/**
 * A list of tasks → statements. import_tasks and import_role become blocks here, so that tags, `when` and vars reach what
 * they import; include_tasks and include_role stay, and load at their turn.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { MapEntry, MapNode, SourceNode } from "../source/node.ts";
import { checkArguments, checkModuleDefaults } from "./check-arguments.ts";
import { baseDirOf, type LoadContext } from "./load-context.ts";
import { importStatement, includeStatement, isImportKeyword, isIncludeKeyword } from "./load-include.ts";
import { isLoopKeyword, loadLoop } from "./load-loop.ts";
import type { Block, IncludeRole, Statement, Task } from "./model.ts";
import { readAction, strayArgument } from "./read-action.ts";
import { inheritedKeywords, isInherited, readInherited } from "./read-inherited.ts";
import {
  entryOf,
  keyOf,
  nodeAt,
  readConditions,
  readList,
  readListen,
  readNames,
  readSeveral,
  readText,
  textNode,
  unknownKeyword,
  wrongShape,
} from "./read-values.ts";
import { blockOnly, everyTaskKeyword, taskOnly } from "./task-keywords.ts";

const taskKeywords: ReadonlySet<string> = new Set(taskOnly);
const blockKeywords: ReadonlySet<string> = new Set(blockOnly);

export function loadStatements(
  what: string,
  node: SourceNode | undefined,
  context: LoadContext,
): Statement[] {
  if (node === undefined) return [];
  const list = context.errors.attempt(() => readList(what, node));
  return (list?.items ?? []).flatMap((item) => {
    const made = context.errors.attempt(() => loadStatement(item, context));
    return made === undefined ? [] : [made];
  });
}

export function loadHandlers(what: string, node: SourceNode | undefined, context: LoadContext): Statement[] {
  const handlers = loadStatements(what, node, { ...context, inHandlers: true });
  for (const handler of handlers)
    if (handler.kind === "include-role") context.errors.add(roleAsHandler(handler));
  return handlers;
}

/** Which role it brings is known at its turn only: nobody could notify its handlers' names before. */
const roleAsHandler = ({ span }: IncludeRole): ProvisionError =>
  new ProvisionError({
    code: "bad-task",
    action: 'read "include_role"',
    state: "it stands among handlers",
    span,
    why: "a handler is a task, a block, or include_tasks",
    fix: 'write "import_role", or include_tasks with a file that includes the role',
  });

function loadStatement(node: SourceNode, context: LoadContext): Statement | undefined {
  if (node.kind !== "map") throw wrongShape("a task", "a mapping", node);
  if (entryOf(node, "block") !== undefined) return loadBlock(node, context);
  const include = node.entries.find((entry) => isIncludeKeyword(keyOf(entry)));
  checkIncludeKeywords(node, include, context);
  if (include !== undefined) return includeStatement({ map: node, entry: include, context, loadStatements });
  const imported = node.entries.find((entry) => isImportKeyword(keyOf(entry)));
  checkIncludeKeywords(node, imported, context);
  if (imported !== undefined) return importStatement({ map: node, entry: imported, context, loadStatements });
  return loadTask(node, context);
}

function checkIncludeKeywords(map: MapNode, include: MapEntry | undefined, context: LoadContext): void {
  for (const entry of include === undefined ? [] : map.entries) {
    if (entry !== include && !isTaskKeyword(entry)) {
      context.errors.add(unknownKeyword(`a task with "${keyOf(include ?? entry)}"`, entry, everyTaskKeyword));
    }
  }
}

function loadBlock(map: MapNode, context: LoadContext): Block {
  for (const entry of map.entries) {
    const key = keyOf(entry);
    if (!blockKeywords.has(key) && !isInherited(key)) {
      context.errors.add(unknownKeyword("a block", entry, [...blockKeywords, ...inheritedKeywords]));
    }
  }
  const name = nodeAt(map, "name");
  const rolling = nodeAt(map, "rolling");
  const inherited = readInherited(map);
  checkModuleDefaults(inherited.moduleDefaults, context);
  return {
    kind: "block",
    ...inherited,
    name: name === undefined ? "" : readText("name", name),
    span: map.span,
    block: loadStatements("block", nodeAt(map, "block"), context),
    rescue: loadStatements("rescue", nodeAt(map, "rescue"), context),
    always: loadStatements("always", nodeAt(map, "always"), context),
    ...(rolling === undefined ? {} : { rolling }),
    notify: several(map, "notify"),
    listen: names(map, "listen"),
    role: context.role,
  };
}

const several = (map: MapNode, key: string): readonly SourceNode[] => {
  const node = nodeAt(map, key);
  return node === undefined ? [] : readSeveral(node);
};
const names = (map: MapNode, key: string): readonly string[] => {
  const node = nodeAt(map, key);
  return node === undefined ? [] : readNames(key, node);
};

function loadTask(map: MapNode, context: LoadContext): Task {
  const candidates = map.entries.filter((entry) => !isTaskKeyword(entry));
  const { action, module, args, isLocal } = readAction(map, candidates, context);
  for (const entry of candidates) {
    if (keyOf(entry) === action) continue;
    const isArgument = context.options.catalogue.argumentNames(module)?.includes(keyOf(entry)) === true;
    context.errors.add(
      isArgument ? strayArgument(module, entry) : unknownKeyword("a task", entry, everyTaskKeyword),
    );
  }
  const name = nodeAt(map, "name");
  const shown = name?.kind === "scalar" && name.value !== null ? String(name.value) : action;
  checkArguments(shown, module, args, context);
  const inherited = readInherited(map);
  checkModuleDefaults(inherited.moduleDefaults, context);
  return {
    kind: "task",
    ...inherited,
    ...(isLocal
      ? { delegateTo: textNode("localhost", map.span), connection: textNode("local", map.span) }
      : {}),
    name,
    span: name?.span ?? map.span,
    action,
    module,
    args,
    loop: loadLoop(map),
    ...readOutcome(map),
    notify: several(map, "notify"),
    listen: readListen(map, context.inHandlers),
    ...optional(map, ["retries", "delay", "async", "poll", "rolling"]),
    role: context.role,
    baseDir: baseDirOf(context),
  };
}

const isTaskKeyword = (entry: MapEntry): boolean => {
  const key = keyOf(entry);
  return taskKeywords.has(key) || isInherited(key) || isLoopKeyword(key);
};

type OptionalKey = "retries" | "delay" | "async" | "poll" | "rolling";

function optional(map: MapNode, keys: readonly OptionalKey[]): Partial<Record<OptionalKey, SourceNode>> {
  const found: Partial<Record<OptionalKey, SourceNode>> = {};
  for (const key of keys) {
    const value = nodeAt(map, key);
    if (value !== undefined) found[key] = value;
  }
  return found;
}

function readOutcome(map: MapNode): Pick<Task, "register" | "changedWhen" | "failedWhen" | "until"> {
  const conditions = (key: string) => {
    const node = nodeAt(map, key);
    return node === undefined ? undefined : readConditions(key, node);
  };
  return {
    register: readRegister(map),
    changedWhen: conditions("changed_when"),
    failedWhen: conditions("failed_when"),
    until: conditions("until"),
  };
}

function readRegister(map: MapNode): string | undefined {
  const node = nodeAt(map, "register");
  if (node === undefined) return undefined;
  const name = readText("register", node);
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new ProvisionError({
    code: "bad-keyword",
    action: 'read "register"',
    state: `"${name}" is no name of a variable`,
    span: node.span,
    why: "a variable's name has letters, digits and _, and starts with a letter",
  });
}
