/** --syntax-check beyond what loading checks: every expression, every template file, every argument that stands still. */
import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { ErrorCollector, ProvisionError } from "../../base/errors.ts";
import { fileFix } from "../../base/file-fix.ts";
import type { JsonValue } from "../../base/json.ts";
import { statPath } from "../../base/stat-path.ts";
import type { AnyModule } from "../modules/module.ts";
import type {
  Condition,
  IncludeRole,
  IncludeTasks,
  Inherited,
  Play,
  Role,
  Statement,
  Task,
} from "../playbook/model.ts";
import type { SourceNode } from "../source/node.ts";
import { checkCondition, checkNode, checkTemplateFile } from "../vars/names-used.ts";
import { limits } from "./limits.ts";
import { modulesIn, modulesOf } from "./play-modules.ts";
import { badArguments } from "./prepare-task.ts";
import type { RunRequest } from "./run-request.ts";

/** Throws everything that is wrong, at once. */
export async function checkPlaybooks(request: RunRequest): Promise<void> {
  const checker = new Checker();
  for (const { plays } of request.playbooks) {
    for (const play of plays) {
      for (const name of modulesOf(play))
        checker.modules.set(name, await request.environment.loadModule(name));
      checker.play(play);
    }
  }
  for (let found = checker.included.shift(); found !== undefined; found = checker.included.shift()) {
    for (const name of modulesIn(found))
      checker.modules.set(name, await request.environment.loadModule(name));
    checker.statements(found);
  }
  checker.errors.throwIfAny();
}

class Checker {
  readonly errors = new ErrorCollector();
  readonly modules = new Map<string, AnyModule>();
  /** What includes with a plain name lead to: each file and role once, however they include each other. */
  readonly included: (readonly Statement[])[] = [];
  readonly #seen = new Set<object>();
  readonly #includes = new Set<string>();

  play(play: Play): void {
    this.#inherited(play);
    this.#nodes([play.hosts, ...play.varsFiles, play.serial, play.strategy]);
    for (const invocation of play.roles) {
      this.#inherited(invocation);
      this.#nodes([invocation.params]);
      this.#role(invocation.role);
    }
    this.statements([...play.preTasks, ...play.tasks, ...play.postTasks, ...play.handlers]);
  }

  /** Once, however often it is used. */
  #role(role: Role): void {
    if (this.#seen.has(role)) return;
    this.#seen.add(role);
    this.#nodes([role.defaults, role.vars]);
    this.statements([...role.tasks, ...role.handlers]);
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (this.#seen.has(statement)) continue;
      this.#seen.add(statement);
      this.#inherited(statement);
      if (statement.kind === "block") {
        this.statements([...statement.block, ...statement.rescue, ...statement.always]);
        continue;
      }
      this.#nodes([statement.name, statement.loop?.over, statement.loop?.label]);
      if (statement.kind === "task") this.#task(statement);
      else this.#include(statement);
      if (statement.kind === "include-role") this.#nodes([statement.public, statement.allowDuplicates]);
    }
  }

  #include(include: IncludeTasks | IncludeRole): void {
    const named = include.kind === "include-tasks" ? include.file : include.roleName;
    const name = staticValue(named);
    const from = include.kind === "include-role" && include.tasksFrom ? staticValue(include.tasksFrom) : "";
    if (typeof name !== "string" || typeof from !== "string") return;
    const key = [include.kind, include.baseDir, include.role?.dir, name, from].join("\0");
    if (this.#includes.has(key) || this.#includes.size >= limits.checkedIncludes) return;
    this.#includes.add(key);
    const found = this.errors.attempt(() => {
      if (include.kind === "include-tasks") return include.load(name);
      const { role } = include.load({ role: name, ...(from === "" ? {} : { tasksFrom: from }) });
      return [...role.tasks, ...role.handlers];
    });
    if (found !== undefined) this.included.push(found);
  }

  #inherited(inherited: Inherited): void {
    this.#conditions(inherited.when);
    this.#nodes([
      inherited.vars,
      ...(inherited.environment ?? []),
      inherited.become,
      inherited.becomeUser,
      inherited.delegateTo,
      inherited.noLog,
      inherited.ignoreErrors,
      inherited.moduleDefaults,
      ...inherited.tags.filter((tag) => typeof tag !== "string"),
    ]);
  }

  #task(task: Task): void {
    for (const conditions of [task.changedWhen, task.failedWhen, task.until])
      this.#conditions(conditions ?? []);
    this.#nodes([
      task.args.map,
      task.args.freeForm,
      task.args.variable,
      ...task.notify,
      task.retries,
      task.delay,
    ]);
    this.#arguments(task);
    if (task.module === "template") this.#template(task);
  }

  /** Only when nothing in them has to be rendered first. */
  #arguments(task: Task): void {
    const module = this.modules.get(task.module);
    if (module === undefined || task.args.variable !== undefined || task.moduleDefaults !== undefined) return;
    const given = staticValue(task.args.map);
    const free = task.args.freeForm === undefined ? undefined : staticValue(task.args.freeForm);
    if (given === undefined || (task.args.freeForm !== undefined && free === undefined)) return;
    const all = {
      ...(given as object),
      ...(free === undefined ? {} : { [module.freeForm ?? "free_form"]: free }),
    };
    const parsed = module.args.safeParse(all);
    if (!parsed.success) this.errors.add(badArguments(task, titleOf(task), parsed.error.issues));
  }

  #template(task: Task): void {
    const source = task.args.map.entries.find(({ key }) => key.value === "src")?.value;
    const path = source === undefined ? undefined : staticValue(source);
    if (typeof path !== "string") return;
    const folders = task.role === undefined ? [task.baseDir] : [task.role.dir, task.baseDir];
    const places = isAbsolute(path)
      ? [path]
      : folders.flatMap((dir) => [join(dir, "templates", path), join(dir, path)]);
    const file = places.find((place) => statPath(place)?.isFile() === true);
    if (file === undefined) {
      this.errors.add(missing(path, places, source));
    } else if (/\.(j2|hbs)$/.test(file)) {
      for (const error of checkTemplateFile(file, readFileSync(file, "utf8"))) this.errors.add(error);
    }
  }

  #conditions(conditions: readonly Condition[]): void {
    for (const { expression, span } of conditions)
      for (const error of checkCondition(expression, span)) this.errors.add(error);
  }

  #nodes(nodes: readonly (SourceNode | undefined)[]): void {
    for (const node of nodes)
      if (node !== undefined) for (const error of checkNode(node)) this.errors.add(error);
  }
}

const missing = (path: string, places: readonly string[], source: SourceNode | undefined): ProvisionError =>
  new ProvisionError({
    code: "missing-file",
    action: `read template "${path}"`,
    state: "there is no such file",
    span: source?.span,
    why: `looked for ${places.join(", ")}`,
    fix: fileFix(path, places),
  });

const titleOf = (task: Task): string =>
  task.name?.kind === "scalar" ? String(task.name.value) : task.module;

/** Undefined: something in it is a template, or encrypted. */
function staticValue(node: SourceNode): JsonValue | undefined {
  if (node.kind === "scalar") {
    if (node.tag === "!vault") return undefined;
    return typeof node.value === "string" && /\{[{%]/.test(node.value) && node.tag === undefined
      ? undefined
      : node.value;
  }
  if (node.kind === "list") {
    const items = node.items.map(staticValue);
    return items.some((item) => item === undefined) ? undefined : items.filter((item) => item !== undefined);
  }
  const made: Record<string, JsonValue> = {};
  for (const { key, value } of node.entries) {
    if (String(key.value).includes("{{")) return undefined;
    const each = staticValue(value);
    if (each === undefined) return undefined;
    made[String(key.value)] = each;
  }
  return made;
}
