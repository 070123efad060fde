/** `notify:` → the handlers that are meant: by name, by "role : name", or by the topics that they listen to. */
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { Task } from "../playbook/model.ts";
import type { SourceNode } from "../source/node.ts";
import type { Frame } from "./frame.ts";
import { writtenName } from "./owed-handlers.ts";
import type { Handler, HandlerEntry } from "./play-state.ts";
import type { TaskWhere } from "./prepare-task.ts";
import type { View } from "./view.ts";

/** In no order: they run in the order of their definition. An unknown name is an error, as a lost notification is worse. */
export function notifiedBy(where: TaskWhere, view: View): readonly Handler[] {
  const found = new Set<Handler>();
  for (const node of [...where.frame.notify, ...where.task.notify]) {
    for (const name of namesIn(node, view)) {
      for (const handler of handlersNamed(where, name, node)) found.add(handler);
    }
  }
  return [...found];
}

/** Then it notifies nobody, whatever its names are. */
export const isNeverChanged = ({ changedWhen = [] }: Task): boolean =>
  changedWhen.some(({ expression }) => String(expression) === "false");

function namesIn(node: SourceNode, view: View): readonly string[] {
  const value = view.value(node);
  return (Array.isArray(value) ? value : [value]).filter((each) => each !== null && each !== "").map(String);
}

function handlersNamed(where: TaskWhere, name: string, node: SourceNode): readonly Handler[] {
  const { play, task, host } = where;
  const listening = play.handlers.filter(({ handler }) => handler.listen.includes(name));
  // A name may hold variables, which are the handler's own.
  const titleOf = ({ handler, frame }: HandlerEntry): string =>
    writtenName(handler).includes("{{")
      ? play.handlerTitle(handler, play.view(host, frame, handler))
      : writtenName(handler);
  // Of several handlers of one name the last one counts, but no other role's stands in for one of the task's own role.
  const named = play.handlers.filter((entry) => {
    const { handler } = entry;
    if (!mayBeCalled(writtenName(handler), name)) return false;
    const title = titleOf(entry);
    return title === name || (handler.role !== undefined && `${handler.role.name} : ${title}` === name);
  });
  const own = named.filter(
    ({ handler }) => handler.role !== undefined && handler.role.dir === task.role?.dir,
  );
  // Of the same role with other parameters: that of this use of it.
  const use = useOf(where.frame);
  const same = use === undefined ? undefined : own.findLast(({ frame }) => useOf(frame) === use);
  const latest = named.at(-1);
  const last = latest?.handler.role === undefined ? latest : (same ?? own.at(-1) ?? latest);
  const all = last === undefined ? listening : [...listening, last];
  if (all.length > 0) return all.map(({ handler }) => handler);
  const near = nearest(name, play.handlers.map(titleOf));
  throw new ProvisionError({
    code: "unknown-handler",
    action: `notify "${name}"`,
    state: "no handler of the play has this name or listens to it",
    span: node.span,
    why: "a change whose handler does not run would be lost",
    fix: near === undefined ? undefined : `write "${near}"`,
  });
}

/** What stands outside the braces must be in the name: others need not be rendered. */
const mayBeCalled = (written: string, name: string): boolean =>
  written.split(/\{\{[\s\S]*?\}\}/).every((part) => name.includes(part));

const useOf = ({ roles }: Frame): string | undefined => roles.at(-1)?.use ?? roles.at(-1)?.once;
