/**
 * What a task comes to on one host: module, checked arguments, machine, identity, controller's files. Rendered anew at
 * every use (R0), and used for looking ahead as well, so nothing here touches a host.
 */
import { ProvisionError, type Span } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { Env } from "../host/step.ts";
import { secretsOf } from "../modules/arguments.ts";
import type { AnyModule, ModuleContext } from "../modules/module.ts";
import type { Inherited, Task } from "../playbook/model.ts";
import type { Become } from "../transport/session.ts";
import { dropOmitted } from "../vars/render.ts";
import { explainArgument } from "./argument-fix.ts";
import { becomeOf } from "./become.ts";
import { environmentsOf, type Frame, keyword } from "./frame.ts";
import { type Identity, identityOf } from "./identity.ts";
import { limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import { readSources } from "./sources.ts";
import type { View } from "./view.ts";

export interface TaskWhere {
  readonly play: PlayState;
  readonly task: Task;
  readonly host: RunHost;
  readonly frame: Frame;
}

export interface PreparedTask {
  readonly module: AnyModule;
  readonly args: unknown;
  /** Whose machine is acted on: the delegate, else the host itself. */
  readonly target: RunHost;
  readonly delegatedTo: string | undefined;
  readonly check: boolean;
  readonly diff: boolean;
  readonly noLog: boolean;
  readonly environment: Env;
  readonly become: Become | null;
  readonly stepTimeoutMs: number;
}

export function prepareTask({ play, task, host, frame }: TaskWhere, view: View): PreparedTask {
  const module = play.run.module(task.module);
  const delegatedTo = delegateOf(play, task, frame, view);
  const target = delegatedTo === undefined ? host : play.run.hostNamed(delegatedTo);
  const flag = (name: "checkMode" | "diff" | "noLog", otherwise: boolean): boolean => {
    const node = keyword(frame, task, name);
    return node === undefined ? otherwise : view.flag(node);
  };
  const timeout = keyword(frame, task, "timeout");
  const seconds = timeout === undefined ? 0 : Number(view.value(timeout));
  return {
    module,
    args: argsOf(module, task, play, frame, view),
    target,
    delegatedTo: target === host ? undefined : delegatedTo,
    check: flag("checkMode", play.run.request.check),
    diff: flag("diff", play.run.request.diff),
    noLog: flag("noLog", false),
    environment: environmentOf(frame, task, view),
    become: becomeOf(play, { task, frame, view, target, isDelegated: target !== host }),
    stepTimeoutMs: seconds > 0 ? seconds * 1000 : limits.stepTimeoutMs,
  };
}

function delegateOf(play: PlayState, task: Task, frame: Frame, view: View): string | undefined {
  const node = keyword(frame, task, "delegateTo");
  if (node === undefined) return undefined;
  const name = String(view.value(node) ?? "");
  if (name === "" || name === play.run.omitToken) return undefined;
  return name;
}

export function environmentOf(frame: Frame, task: Inherited, view: View): Env {
  const merged: Record<string, string> = {};
  for (const node of environmentsOf(frame, task)) {
    const value = dropOmitted(view.value(node)) ?? [];
    for (const part of Array.isArray(value) ? value : [value]) {
      if (!isJsonObject(part)) continue;
      for (const [name, each] of Object.entries(part)) merged[name] = envText(each);
    }
  }
  return merged;
}

const envText = (value: JsonValue): string =>
  typeof value === "string"
    ? value
    : value === null
      ? ""
      : typeof value === "boolean"
        ? value
          ? "True"
          : "False"
        : JSON.stringify(value);

/** module_defaults, then `args: "{{ … }}"`, then what the task says; `omit` leaves an argument out. */
function argsOf(module: AnyModule, task: Task, play: PlayState, frame: Frame, view: View): unknown {
  const given: Record<string, JsonValue> = { ...moduleDefaults(task, frame, view) };
  if (task.args.variable !== undefined) Object.assign(given, objectOf(view.value(task.args.variable), task));
  Object.assign(given, withRenderedNames(task, view.object(task.args.map), view));
  if (task.args.freeForm !== undefined)
    given[module.freeForm ?? "free_form"] = view.value(task.args.freeForm);
  for (const [name, value] of Object.entries(given)) {
    if (value === play.run.omitToken) delete given[name];
  }
  const parsed = module.args.safeParse(given);
  if (parsed.success) {
    for (const secret of secretsOf(module.args, parsed.data)) play.run.request.secrets?.add(secret);
    return parsed.data;
  }
  throw badArguments(task, taskTitle(task, view), parsed.error.issues);
}

/** `set_fact: {"{{ name }}_port": 80}` */
function withRenderedNames(task: Task, args: JsonObject, view: View): JsonObject {
  if (!task.args.map.entries.some(({ key }) => isTemplate(key.value))) return args;
  const keys = new Map(task.args.map.entries.map(({ key }) => [String(key.value), key]));
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const key = keys.get(name);
      return [key !== undefined && isTemplate(name) ? view.text(key) : name, value];
    }),
  );
}

const isTemplate = (name: unknown): boolean => String(name).includes("{{");

/** Of one module those that stand innermost count, all of them and no other. */
function moduleDefaults(task: Task, frame: Frame, view: View): JsonObject {
  for (const { moduleDefaults: node } of [task, ...frame.chain.toReversed()]) {
    const own = node?.entries.findLast(({ key }) => namesModule(String(key.value), task));
    if (own !== undefined) return objectOf(view.value(own.value), task);
  }
  return {};
}

const namesModule = (name: string, { module, action }: Task): boolean =>
  name === module || name === action || shortName(name) === module;
const shortName = (name: string): string =>
  name.replace(/^(?:ansible\.(?:builtin|legacy|posix)|community\.general)\./, "");

function objectOf(value: JsonValue, task: Task): JsonObject {
  if (isJsonObject(value)) return value;
  throw new ProvisionError({
    code: "bad-argument",
    action: `read the arguments of "${task.module}"`,
    state: `they are ${JSON.stringify(value)}`,
    span: task.span,
    why: "arguments are a mapping of names to values",
  });
}

interface Issue {
  readonly code?: string | undefined;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

export function badArguments(task: Task, title: string, issues: readonly Issue[]): ProvisionError {
  const errors = issues.map((issue) => {
    const name = String(issue.path[0] ?? issue.keys?.[0] ?? "");
    const { state, fix } = explainArgument(name, issue.message);
    return new ProvisionError({
      code: issue.code === "unrecognized_keys" ? "unknown-argument" : "bad-argument",
      action: `read task "${title}"`,
      state: name === "" ? state : `argument "${name}" of "${task.module}" ${state}`,
      fix,
      span: spanOfArgument(task, name) ?? task.span,
    });
  });
  const [first, ...also] = errors;
  if (first === undefined) throw new Error(`the arguments of ${task.module} were refused without a reason`);
  return new ProvisionError(
    { code: first.code, action: first.action, state: first.state, span: first.span, fix: first.fix },
    also,
  );
}

const spanOfArgument = (task: Task, name: string): Span | undefined =>
  task.args.map.entries.find(({ key }) => key.value === name)?.value.span;

/** The task's name as shown; what cannot be rendered yet is shown as written. */
export function taskTitle(
  task: { readonly name: Task["name"]; readonly module?: string },
  view: View,
): string {
  const { name } = task;
  if (name === undefined) return task.module ?? "include";
  try {
    return String(view.value(name));
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return name.kind === "scalar" ? String(name.value) : (task.module ?? "include");
  }
}

export const identityOfTask = (prepared: PreparedTask): Identity =>
  identityOf(prepared.become, prepared.environment);

export function contextOf(
  where: TaskWhere,
  prepared: PreparedTask,
  machine: Machine,
  view: View,
): Omit<ModuleContext, "round" | "elapsedMs"> {
  const { module, args, check, diff } = prepared;
  const requests = module.sources?.(args as never, { host: where.host.name }) ?? [];
  return {
    host: where.host.name,
    facts: {
      ansible: prepared.target.facts ?? {},
      // Not before it is asked for: a play's first questions leave before it is known.
      get base() {
        return machine.base;
      },
    },
    check,
    diff,
    sources: readSources(requests, where.play.filesOf(where.task, where.frame), view),
    now: where.play.run.startedAtMs,
  };
}
