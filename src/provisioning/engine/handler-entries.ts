/** The handlers of a play: each once for each set of variables that its role was brought with. */
import type { Statement } from "../playbook/model.ts";
import { enterBlock, type Frame } from "./frame.ts";
import type { HandlerEntry } from "./play-state.ts";

/** A nameless block (import_tasks) is only a bracket around handlers; a named one is a handler too. */
export function flatHandlers(statements: readonly Statement[], frame: Frame): readonly HandlerEntry[] {
  return statements.flatMap((statement): readonly HandlerEntry[] => {
    if (statement.kind === "include-role") return [];
    const own = withRole(frame, statement);
    if (statement.kind !== "block") return [{ handler: statement, frame: own }];
    const inner = flatHandlers(statement.block, enterBlock(frame, statement));
    return statement.name === "" && statement.listen.length === 0
      ? inner
      : [{ handler: statement, frame: own }, ...inner];
  });
}

/** A handler of an imported role stands in the play's list, and still belongs to its role. */
function withRole(frame: Frame, { role }: Statement): Frame {
  if (role === undefined || frame.roles.some((each) => each.role === role)) return frame;
  return { ...frame, roles: [...frame.roles, { role, params: undefined }] };
}

/** Where the handlers of an included role stand: they see its variables, and its conditions are not theirs. */
export const handlerFrame = (frame: Frame): Frame => ({
  ...frame,
  chain: frame.chain.map(({ tags: _tags, when: _when, ...inherited }) => ({
    ...inherited,
    tags: [],
    when: [],
  })),
  notify: [],
  rescuable: false,
  handlers: true,
  depth: 0,
});

/** Known ones first; what is there already with the same variables is not added once more. */
export function withEntries(
  known: readonly HandlerEntry[],
  added: readonly HandlerEntry[],
): readonly HandlerEntry[] {
  const all = [...known];
  const keys = new Set(known.map(keyOf));
  const used = new Set(known.map(({ handler }) => handler));
  for (const entry of added) {
    const key = keyOf(entry);
    if (keys.has(key)) continue;
    keys.add(key);
    // The same handler with other variables is another one: it is notified and runs by itself.
    const own = used.has(entry.handler) ? { ...entry, handler: { ...entry.handler } } : entry;
    used.add(own.handler);
    all.push(own);
  }
  return all;
}

const keys = new WeakMap<HandlerEntry, string>();

/** Where it is written, and the variables around it. */
function keyOf(entry: HandlerEntry): string {
  const known = keys.get(entry);
  if (known !== undefined) return known;
  const { handler, frame } = entry;
  const use = frame.roles.at(-1);
  const around = [
    frame.includeParams.flatMap((layer) => [...layer.keys()].map((name) => [name, layer.get(name)])),
    frame.chain.slice(1).flatMap(({ vars }) => vars ?? []),
    use?.params,
    use?.vars,
  ];
  const { file, line, column } = handler.span;
  const sources = [use?.role.vars?.span.file, use?.role.defaults?.span.file];
  const key = JSON.stringify([file, line, column, sources, around], (name, value: unknown) =>
    name === "span" || name === "origin" ? undefined : value,
  );
  keys.set(entry, key);
  return key;
}
