/** A role's folder → Role: defaults, vars, tasks, handlers, and the roles that it depends on. */
import { readdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { fileFix } from "../../base/file-fix.ts";
import type { MapNode, SourceNode } from "../source/node.ts";
import { collectionOf, findRole } from "./find-role.ts";
import { validationTask } from "./load-argument-specs.ts";
import { findYaml, isFile, isFolder, type LoadContext, readYamlFile } from "./load-context.ts";
import { loadHandlers, loadStatements } from "./load-statements.ts";
import type { Block, Inherited, Role, RoleInvocation } from "./model.ts";
import { isInherited, readInherited } from "./read-inherited.ts";
import { keyOf, nodeAt, overlay, readList, readMap, readNames, readText, wrongShape } from "./read-values.ts";
import { signatureOf } from "./role-dependencies.ts";

export interface RoleRequest {
  readonly name: string;
  readonly span: Span;
  readonly from?: {
    readonly tasksFrom?: string | undefined;
    readonly varsFrom?: string | undefined;
    readonly defaultsFrom?: string | undefined;
    readonly handlersFrom?: string | undefined;
  };
  /** Whether its variables are held against meta/argument_specs.yml first. */
  readonly validates?: boolean;
}

const maxRoleDepth = 30;

export function loadRole(request: RoleRequest, outer: LoadContext): Role {
  const { dir, name } = findRole(request.name, request.span, outer);
  const key = JSON.stringify([dir, request.from, request.validates]);
  const known = outer.roles.get(key);
  if (known !== undefined) return known;
  const role = readRole({ ...request, name }, dir, outer);
  outer.roles.set(key, role);
  return role;
}

function readRole(
  { name, span, from = {}, validates = true }: RoleRequest,
  dir: string,
  outer: LoadContext,
): Role {
  if (outer.importing.includes(dir) || outer.importing.length > maxRoleDepth * 4) {
    throw new ProvisionError({
      code: "bad-role",
      action: `load role "${name}"`,
      state: "it depends on itself",
      span,
      why: [...outer.importing, dir].join(" → "),
    });
  }
  const meta = readPart(dir, "meta", "main", outer);
  const collections = collectionsOf(dir, meta);
  const role: Role = {
    name,
    dir,
    defaults: partMap(dir, "defaults", from.defaultsFrom, outer),
    vars: partMap(dir, "vars", from.varsFrom, outer),
    tasks: [],
    handlers: [],
    dependencies: dependenciesOf(meta, { ...outer, collections, importing: [...outer.importing, dir] }),
    allowDuplicates: flagOf(meta, "allow_duplicates"),
  };
  const context: LoadContext = { ...outer, role, collections, importing: [...outer.importing, dir] };
  // Statements name their role, so the role is filled in place.
  const tasks = loadPart("tasks", { name: from.tasksFrom, span }, context);
  const validation = validates ? validationOf(role, from.tasksFrom, meta, context) : undefined;
  return Object.assign(role, {
    tasks: validation === undefined ? tasks : [validation, ...tasks],
    handlers: loadPart("handlers", { name: from.handlersFrom, span }, context),
  });
}

function validationOf(
  role: Role,
  from: string | undefined,
  meta: SourceNode | undefined,
  context: LoadContext,
) {
  const entryPoint = basename(from ?? "main").replace(/\.ya?ml$/, "");
  return context.errors.attempt(() =>
    validationTask(role, entryPoint, readPart(role.dir, "meta", "argument_specs", context) ?? meta, context),
  );
}

const plain: Inherited = { tags: [], when: [] };

/** Handlers see the variables that the role was imported with; its conditions are not theirs. */
const handlerBracket = (role: Role, span: Span, inherited: Inherited): Block => ({
  ...inherited,
  ...plain,
  kind: "block",
  name: "",
  span,
  block: role.handlers,
  rescue: [],
  always: [],
  notify: [],
  listen: [],
  role,
  use: useOf(role, span),
});

const useOf = ({ dir }: Role, { file, line, column }: Span): string => `${dir} ${file}:${line}:${column}`;

/** A role that stands among tasks: what it depends on first, then its own tasks. Its handlers go to the play. */
export function roleBlock(role: Role, span: Span, context: LoadContext, inherited: Inherited = plain): Block {
  const dependencies = role.dependencies.map((invocation) => ({
    ...roleBlock(invocation.role, invocation.span, context, inheritedOf(invocation)),
    ...inheritedOf(invocation),
    ...(invocation.once === undefined ? {} : { once: invocation.once }),
  }));
  if (role.handlers.length > 0) context.addHandlers([handlerBracket(role, span, inherited)]);
  return {
    kind: "block",
    name: "",
    span,
    tags: [],
    when: [],
    block: [...dependencies, ...role.tasks],
    rescue: [],
    always: [],
    notify: [],
    listen: [],
    role,
    use: useOf(role, span),
    isRole: true,
  };
}

function inheritedOf({
  kind: _kind,
  role: _role,
  once: _once,
  params,
  span: _span,
  ...inherited
}: RoleInvocation) {
  return params === undefined ? inherited : { ...inherited, vars: params };
}

function readPart(dir: string, part: string, name: string, context: LoadContext): SourceNode | undefined {
  const file = findYaml(join(dir, part), name);
  return file === undefined ? undefined : readYamlFile(file, context.options);
}

function partMap(
  dir: string,
  part: string,
  from: string | undefined,
  context: LoadContext,
): MapNode | undefined {
  const name = from?.replace(/\.(?:ya?ml|json)$/, "") ?? "main";
  const what = `${part} of a role`;
  return context.errors.attempt(() => {
    const files = isFolder(join(dir, part, name)) ? filesBelow(join(dir, part, name)) : [];
    const nodes =
      files.length > 0
        ? files.map((file) => readYamlFile(file, context.options))
        : [readPart(dir, part, name, context)];
    const maps = nodes.map((node) => (node === undefined ? undefined : readMap(what, node)));
    return maps.reduce(overlay, undefined);
  });
}

/** `vars/main/` may be a folder: all its files, by name. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => [".yml", ".yaml", ".json"].includes(extname(file)) && isFile(file))
    .sort();

/** `tasks_from` and where it is written. */
interface PartRequest {
  readonly name: string | undefined;
  readonly span: Span;
}

function loadPart(part: "tasks" | "handlers", { name: from, span }: PartRequest, context: LoadContext) {
  const dir = context.role?.dir ?? "";
  const name = from?.replace(/\.ya?ml$/, "") ?? "main";
  const file = findYaml(join(dir, part), name);
  if (file === undefined) {
    if (from !== undefined && part === "tasks")
      context.errors.add(missingPart(part, { name: from, span }, context));
    return [];
  }
  const node = context.errors.attempt(() => readYamlFile(file, context.options));
  const inner = { ...context, fileDir: join(dir, part), importing: [...context.importing, file] };
  const load = part === "handlers" ? loadHandlers : loadStatements;
  return load(`the ${part} of role "${context.role?.name}"`, node, inner);
}

/** Where bare names of roles are looked for first: its own collection, and those that it names. */
function collectionsOf(dir: string, meta: SourceNode | undefined): readonly string[] {
  const own = collectionOf(dir);
  const named = meta?.kind === "map" ? nodeAt(meta, "collections") : undefined;
  return [
    ...(own === undefined ? [] : [own]),
    ...(named === undefined ? [] : readNames("collections", named)),
  ];
}

const missingPart = (part: string, { name, span }: PartRequest, { role }: LoadContext): ProvisionError =>
  new ProvisionError({
    code: "missing-file",
    action: `load role "${role?.name}"`,
    state: `it has no file "${part}/${name}"`,
    span,
    why: `${part}_from names a file in ${role?.dir}/${part}`,
    fix: fileFix(`${name}.yml`, [join(role?.dir ?? "", part, `${name}.yml`)]),
  });

function flagOf(meta: SourceNode | undefined, key: string): boolean {
  const node = meta?.kind === "map" ? nodeAt(meta, key) : undefined;
  return node?.kind === "scalar" && node.value === true;
}

function dependenciesOf(meta: SourceNode | undefined, context: LoadContext): RoleInvocation[] {
  const node = meta?.kind === "map" ? nodeAt(meta, "dependencies") : undefined;
  if (node === undefined) return [];
  const list = context.errors.attempt(() => readList("dependencies", node));
  return (list?.items ?? []).flatMap((item) => {
    const made = context.errors.attempt(() => loadInvocation(item, context));
    return made === undefined ? [] : [made];
  });
}

/** `- name`, `- role: name, when: …, anything: else` (else are parameters). */
export function loadInvocation(node: SourceNode, context: LoadContext): RoleInvocation {
  if (node.kind === "scalar" && node.value !== null) {
    const role = loadRole({ name: String(node.value), span: node.span }, context);
    return onceOnly({ kind: "role", tags: [], when: [], role, params: undefined, span: node.span });
  }
  if (node.kind !== "map") throw wrongShape("a role", "a name, or a mapping with role: NAME", node);
  const nameNode = nodeAt(node, "role") ?? nodeAt(node, "name");
  if (nameNode === undefined) throw wrongShape("a role", "a name, or a mapping with role: NAME", node);
  const role = loadRole({ name: readText("role", nameNode), span: nameNode.span }, context);
  const params = node.entries.filter(
    (entry) => !["role", "name", "delegate_to"].includes(keyOf(entry)) && !isInherited(keyOf(entry)),
  );
  return onceOnly({
    kind: "role",
    ...readInherited(node),
    role,
    params: params.length === 0 ? undefined : { kind: "map", entries: params, span: node.span },
    span: node.span,
  });
}

const onceOnly = (invocation: RoleInvocation): RoleInvocation =>
  invocation.role.allowDuplicates ? invocation : { ...invocation, once: signatureOf(invocation) };
