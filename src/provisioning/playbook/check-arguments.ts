/** Argument names that a module does not know, found before any host is touched. */
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { MapNode } from "../source/node.ts";
import type { LoadContext } from "./load-context.ts";
import type { TaskArgs } from "./model.ts";
import { keyOf } from "./read-values.ts";
import { everyTaskKeyword } from "./task-keywords.ts";

const shownNames = 12;

/** Defaults of a module that is misspelt, or for an argument that it does not take, would silently mean nothing. */
export function checkModuleDefaults(defaults: MapNode | undefined, context: LoadContext): void {
  const { catalogue } = context.options;
  for (const { key, value } of defaults?.entries ?? []) {
    const name = String(key.value);
    const module = catalogue.resolve(name);
    if (module !== undefined && value.kind === "map") {
      const args: TaskArgs = { map: value, freeForm: undefined, variable: undefined };
      checkArguments("module_defaults", module, args, context);
    }
    // Groups and modules of collections are of no use here, and no mistake.
    if (module !== undefined || name.startsWith("group/") || name.includes(".")) continue;
    const near = nearest(name, catalogue.names);
    context.errors.add(
      new ProvisionError({
        code: "unknown-module",
        action: 'read "module_defaults"',
        state: `there is no module "${name}"`,
        span: key.span,
        why: "provision docs lists the modules",
        fix: near === undefined ? undefined : `write "${near}" instead of "${name}"`,
      }),
    );
  }
}

function mended(name: string, near: string | undefined, module: string): string {
  if (everyTaskKeyword.includes(name) || /^with_\w/.test(name))
    return `it is a keyword of the task: indent it like "${module}"`;
  return near === undefined ? `provision docs ${module}` : `write "${near}" instead of "${name}"`;
}

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
        action: task === "module_defaults" ? `read "${task}"` : `read task "${task}"`,
        state: `module "${module}" has no argument "${name}"`,
        span: entry.key.span,
        why:
          names.length === 0
            ? `"${module}" takes none`
            : `"${module}" takes ${list}${names.length > shownNames ? ", …" : ""}`,
        fix: mended(name, near, module),
      }),
    );
  }
}
