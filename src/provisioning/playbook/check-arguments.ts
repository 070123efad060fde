/** Argument names that a module does not know, found before any host is touched. */
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { LoadContext } from "./load-context.ts";
import type { TaskArgs } from "./model.ts";
import { keyOf } from "./read-values.ts";

const shownNames = 12;

export function checkArguments(task: string, module: string, args: TaskArgs, context: LoadContext): void {
  const names = context.options.catalogue.argumentNames(module);
  if (names === undefined) return;
  for (const entry of args.map.entries) {
    const name = keyOf(entry);
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const list = names.slice(0, shownNames).join(", ");
    context.errors.add(
      new ProvisionError({
        code: "unknown-argument",
        action: `read task "${task}"`,
        state: `module "${module}" has no argument "${name}"`,
        span: entry.key.span,
        why:
          names.length === 0
            ? `"${module}" takes none`
            : `"${module}" takes ${list}${names.length > shownNames ? ", …" : ""}`,
        fix: near === undefined ? `provision docs ${module}` : `write "${near}" instead of "${name}"`,
      }),
    );
  }
}
