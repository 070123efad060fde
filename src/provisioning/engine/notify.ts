/** `notify:` → the handlers that are meant: by name, by "role : name", or by the topics that they listen to. */
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { Task } from "../playbook/model.ts";
import type { SourceNode } from "../source/node.ts";
import type { Frame } from "./frame.ts";
import type { Handler, PlayState } from "./play-state.ts";
import type { View } from "./view.ts";

/** In no order: they run in the order of their definition. An unknown name is an error, as a lost notification is worse. */
export function notifiedBy(play: PlayState, task: Task, frame: Frame, view: View): readonly Handler[] {
  const found = new Set<Handler>();
  for (const node of [...frame.notify, ...task.notify]) {
    for (const name of namesIn(node, view)) {
      for (const handler of handlersNamed(play, name, task, node, view)) found.add(handler);
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

function handlersNamed(
  play: PlayState,
  name: string,
  task: Task,
  node: SourceNode,
  view: View,
): readonly Handler[] {
  const listening = play.handlers.filter(({ handler }) => handler.listen.includes(name));
  // Of several handlers of one name the last one counts, but no other role's stands in for one of the task's own role.
  const named = play.handlers.filter(({ handler }) => {
    const title = play.handlerTitle(handler, view);
    return title === name || (handler.role !== undefined && `${handler.role.name} : ${title}` === name);
  });
  const own = named.filter(
    ({ handler }) => handler.role !== undefined && handler.role.dir === task.role?.dir,
  );
  const latest = named.at(-1);
  const last = latest?.handler.role === undefined ? latest : (own.at(-1) ?? latest);
  const all = last === undefined ? listening : [...listening, last];
  if (all.length > 0) return all.map(({ handler }) => handler);
  const near = nearest(
    name,
    play.handlers.map(({ handler }) => play.handlerTitle(handler, view)),
  );
  throw new ProvisionError({
    code: "unknown-handler",
    action: `notify "${name}"`,
    state: "no handler of the play has this name or listens to it",
    span: node.span,
    why: "a change whose handler does not run would be lost",
    fix: near === undefined ? undefined : `write "${near}"`,
  });
}
