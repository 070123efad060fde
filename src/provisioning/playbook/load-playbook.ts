/**
 * Playbook files → model.ts: every keyword checked, every role and import read, nothing rendered, no host asked.
 *
 * load-playbook (plays, import_playbook) → load-statements (tasks, blocks) → load-include, load-role; read-* are the small
 * shapes. All errors of a load are thrown together. Not here: what tasks mean (engine/), which values variables have (vars/).
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { statPath } from "../../base/stat-path.ts";
import type { MapNode, SourceNode } from "../source/node.ts";
import { splitKeyValues } from "../source/split-key-values.ts";
import { checkModuleDefaults } from "./check-arguments.ts";
import { freshContext, isFile, type LoadContext, type LoadOptions, readYamlFile } from "./load-context.ts";
import { loadPrompts } from "./load-prompts.ts";
import { loadInvocation } from "./load-role.ts";
import { loadHandlers, loadStatements } from "./load-statements.ts";
import type { Play, Playbook, RoleInvocation, Statement } from "./model.ts";
import { inheritedKeywords, isInherited, readInherited } from "./read-inherited.ts";
import {
  checkChoice,
  keyOf,
  nodeAt,
  overlay,
  pairEntries,
  readList,
  readNames,
  readSeveral,
  readText,
  unknownKeyword,
  wrongShape,
} from "./read-values.ts";
import { dependenciesOf, signatureOf } from "./role-dependencies.ts";

export type { LoadOptions } from "./load-context.ts";

const playOnly = [
  "name",
  "hosts",
  "gather_facts",
  "gather_subset",
  "gather_timeout",
  "fact_path",
  "strategy",
  "serial",
  "max_fail_percentage",
  "order",
  "force_handlers",
  "vars_prompt",
  "vars_files",
  "pre_tasks",
  "roles",
  "tasks",
  "post_tasks",
  "handlers",
  "user",
];
export const playKeywords: ReadonlySet<string> = new Set(playOnly);

/** Throws ProvisionError with everything that is wrong, in `also`. */
export function loadPlaybook(file: string, options: LoadOptions): Playbook {
  const path = resolve(file);
  const context = freshContext(options, path);
  const plays = context.errors.attempt(() => loadPlays(path, context)) ?? [];
  context.errors.throwIfAny();
  return { file, plays };
}

function loadPlays(file: string, context: LoadContext): Play[] {
  if (!isFile(file)) {
    throw new ProvisionError({
      code: "missing-file",
      action: "read the playbook",
      state: `there is no file "${file}"`,
      ...nearFile(file),
    });
  }
  const node = readPlays(file, context.options);
  if (node === undefined || (node.kind === "list" && node.items.length === 0)) {
    throw new ProvisionError({
      code: "bad-play",
      action: "read the playbook",
      state: `"${file}" holds no play`,
      why: "a playbook is a list of plays, each with hosts and tasks",
      fix: 'begin with "- hosts: all"',
    });
  }
  if (node.kind === "map" && !node.entries.some((entry) => playKeywords.has(keyOf(entry))))
    throw noPlaybook(file, node);
  if (node.kind !== "list") throw wrongShape("a playbook", "a list of plays", node);
  return node.items.flatMap((item) => context.errors.attempt(() => loadEntry(item, context)) ?? []);
}

function nearFile(file: string): { readonly why: string; readonly fix: string } {
  const folder = dirname(file);
  const names =
    statPath(folder)?.isDirectory() === true
      ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))
      : [];
  const near = nearest(basename(file), names);
  if (near !== undefined)
    return { why: `"${near}" is there`, fix: `write "${near}" instead of "${basename(file)}"` };
  return {
    why:
      names.length === 0
        ? "no .yml file is in its folder"
        : `in its folder are ${names.slice(0, shownFiles).join(", ")}`,
    fix: "provision INVENTORY PLAYBOOK",
  };
}

const shownFiles = 8;

/** `provision site.yml hosts.ini`, or `-i hosts.ini hosts.ini`. */
function readPlays(file: string, options: LoadOptions): SourceNode | undefined {
  try {
    return readYamlFile(file, options);
  } catch (error) {
    const [, section] = /^[ \t]*(\[[\w:.-]+\])[ \t\r]*$/m.exec(readFileSync(file, "utf8")) ?? [];
    if (!(error instanceof ProvisionError) || section === undefined) throw error;
    throw noPlaybook(file, { kind: "scalar", value: section, span: { file, line: 1, column: 1 } });
  }
}

const noPlaybook = (file: string, { span }: SourceNode): ProvisionError =>
  new ProvisionError({
    code: "bad-play",
    action: "read the playbook",
    state: `"${file}" holds no play`,
    span,
    why: "a playbook is a list of plays, each with hosts and tasks; this looks like an inventory, or like variables",
    fix: `as the inventory: -i ${basename(file)}`,
  });

function loadEntry(node: SourceNode, context: LoadContext): Play[] {
  if (node.kind !== "map") throw wrongShape("a play", "a mapping with hosts and tasks", node);
  const imported = node.entries.find((entry) =>
    /^(ansible\.builtin\.)?(import_playbook|include)$/.test(keyOf(entry)),
  );
  return imported === undefined ? [loadPlay(node, context)] : importPlaybook(node, imported.value, context);
}

const importKeywords = ["import_playbook", "name", "vars", "tags", "when"];

function importPlaybook(map: MapNode, value: SourceNode, context: LoadContext): Play[] {
  for (const entry of map.entries) {
    const key = keyOf(entry).replace(/^ansible\.builtin\./, "");
    if (key === "include" || importKeywords.includes(key)) continue;
    context.errors.add(unknownKeyword("an import of a playbook", entry, importKeywords));
  }
  const { path, params } = importedPath(value);
  const file = resolve(context.fileDir, path);
  if (context.importing.includes(file) || !isFile(file)) {
    throw new ProvisionError({
      code: context.importing.includes(file) ? "bad-task" : "missing-file",
      action: 'read "import_playbook"',
      state: context.importing.includes(file) ? `"${file}" imports itself` : `there is no file "${file}"`,
      span: value.span,
    });
  }
  const { vars, tags, when } = readInherited(map);
  const dir = dirname(file);
  const inner = { ...context, playbookDir: dir, fileDir: dir, importing: [...context.importing, file] };
  return loadPlays(file, inner).map((play) => ({
    ...play,
    tags: [...tags, ...play.tags],
    when: [...when, ...play.when],
    ...withVars(overlay(play.vars, overlay(vars, params))),
  }));
}

const withVars = (vars: MapNode | undefined): { readonly vars?: MapNode } =>
  vars === undefined ? {} : { vars };

/** `import_playbook: file.yml a=1`: what follows the file are variables. */
function importedPath(value: SourceNode): { readonly path: string; readonly params: MapNode | undefined } {
  const text = readText("import_playbook", value);
  const split = splitKeyValues(text);
  if ("problem" in split || split.pairs.length === 0) return { path: text, params: undefined };
  const entries = pairEntries(split.pairs, value.span);
  return { path: split.rest, params: { kind: "map", entries, span: value.span } };
}

const orders = ["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"];

function loadPlay(map: MapNode, outer: LoadContext): Play {
  for (const entry of map.entries) {
    if (!playKeywords.has(keyOf(entry)) && !isInherited(keyOf(entry))) {
      outer.errors.add(unknownKeyword("a play", entry, [...playOnly, ...inheritedKeywords]));
    }
  }
  const { errors } = outer;
  errors.attempt(() => checkChoice("strategy", nodeAt(map, "strategy"), ["linear", "free", "host_pinned"]));
  errors.attempt(() => checkChoice("order", nodeAt(map, "order"), orders));
  const inherited = readInherited(map);
  checkModuleDefaults(inherited.moduleDefaults, outer);
  const importedHandlers: Statement[] = [];
  const named = nodeAt(map, "collections");
  const context: LoadContext = {
    ...outer,
    collections: named === undefined ? [] : readNames("collections", named),
    addHandlers: (handlers) => importedHandlers.push(...handlers),
  };
  const statements = (key: string) => loadStatements(key, nodeAt(map, key), context);
  const name = nodeAt(map, "name");
  const hosts = hostsOf(map);
  const user = nodeAt(map, "user");
  const play = {
    kind: "play" as const,
    ...(user === undefined ? {} : { remoteUser: user }),
    ...inherited,
    name: name === undefined ? plainText(hosts) : readText("name", name),
    span: name?.span ?? map.span,
    hosts,
    gatherFacts: nodeAt(map, "gather_facts"),
    strategy: nodeAt(map, "strategy"),
    serial: nodeAt(map, "serial"),
    ...optionalOf(map),
    varsPrompt: loadPrompts(nodeAt(map, "vars_prompt"), context),
    varsFiles: severalOf(map, "vars_files"),
    preTasks: statements("pre_tasks"),
    roles: expandRoles(map, context),
    tasks: statements("tasks"),
    postTasks: statements("post_tasks"),
    baseDir: context.playbookDir,
  };
  const handlers = loadHandlers("handlers", nodeAt(map, "handlers"), context);
  // Of one name the last one counts: that of an imported role.
  return { ...play, handlers: [...handlers, ...importedHandlers] };
}

function hostsOf(map: MapNode): SourceNode {
  const node = nodeAt(map, "hosts");
  if (node !== undefined && !(node.kind === "scalar" && node.value === null)) return node;
  throw new ProvisionError({
    code: "bad-play",
    action: "read a play",
    state: 'it has no "hosts"',
    span: map.span,
    why: 'a play says which hosts it is for; a list of tasks alone belongs in a play\'s "tasks"',
    fix: "hosts: all",
  });
}

const plainText = (node: SourceNode): string =>
  node.kind === "list"
    ? node.items.map(plainText).join(",")
    : node.kind === "scalar"
      ? String(node.value)
      : "";

const optionalKeys = {
  gather_subset: "gatherSubset",
  gather_timeout: "gatherTimeout",
  fact_path: "factPath",
  max_fail_percentage: "maxFailPercentage",
  order: "order",
  force_handlers: "forceHandlers",
} as const;

function optionalOf(
  map: MapNode,
): Partial<Record<(typeof optionalKeys)[keyof typeof optionalKeys], SourceNode>> {
  const found: Partial<Record<(typeof optionalKeys)[keyof typeof optionalKeys], SourceNode>> = {};
  for (const [key, property] of Object.entries(optionalKeys)) {
    const value = nodeAt(map, key);
    if (value !== undefined) found[property] = value;
  }
  return found;
}

const severalOf = (map: MapNode, key: string): readonly SourceNode[] => {
  const node = nodeAt(map, key);
  return node === undefined ? [] : readSeveral(node);
};

/** Roles in order, each after what it depends on; the same one with the same parameters only once. */
function expandRoles(map: MapNode, context: LoadContext): RoleInvocation[] {
  const node = nodeAt(map, "roles");
  if (node === undefined) return [];
  const list = context.errors.attempt(() => readList("roles", node));
  const expanded: RoleInvocation[] = [];
  for (const item of list?.items ?? []) {
    const invocation = context.errors.attempt(() => loadInvocation(item, context));
    if (invocation !== undefined) addWithDependencies(invocation, expanded);
  }
  return expanded;
}

function addWithDependencies(invocation: RoleInvocation, expanded: RoleInvocation[]): void {
  for (const dependency of dependenciesOf(invocation)) addWithDependencies(dependency, expanded);
  const same = expanded.findIndex((other) => signatureOf(other) === signatureOf(invocation));
  const earlier = expanded[same];
  if (earlier === undefined || invocation.role.allowDuplicates) expanded.push(invocation);
  else expanded[same] = { ...earlier, tags: [...new Set([...earlier.tags, ...invocation.tags])] };
}
