import type { z } from "zod";
import apt from "./apt.ts";
import { choice, defineArgs, flag, list, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import dnf from "./dnf.ts";
import type { Module, ModuleContext } from "./module.ts";

const args = defineArgs({
  name: list("The packages, as the host's package manager calls them.", { required: true, aliases: ["pkg"] }),
  state: choice(["present", "installed", "latest", "absent", "removed"])("What they shall be.", {
    default: "present",
  }),
  update_cache: flag("Fetch the package lists first."),
  use: text("Of Ansible: auto, apt or dnf.", { default: "auto" }),
});
type PackageArgs = z.infer<typeof args>;

interface Delegate {
  readonly module: Module<unknown, unknown>;
  readonly args: unknown;
}

/** The same task for the host's own package manager. */
function delegateOf(args: PackageArgs, context: ModuleContext): Delegate | undefined {
  const own = args.use === "auto" ? context.facts.base.packageManager : args.use;
  const module = own === "apt" ? apt : own === "dnf" || own === "yum" ? dnf : undefined;
  if (module?.kind !== "host") return undefined;
  const { use: _, ...rest } = args;
  return { module, args: module.args.parse({ ...rest, name: [...args.name] }) };
}

export default defineModule({
  kind: "host",
  name: "package",
  summary: "Installs and removes packages by the host's own package manager.",
  args,
  example: "- name: what we need everywhere\n  package: {name: [curl, rsync], state: present}\n",
  reads: "host",
  ask(args, context) {
    const own = delegateOf(args, context);
    return own?.module.ask(own.args, context) ?? [];
  },
  read(answers, args, context) {
    const own = delegateOf(args, context);
    return own?.module.read(answers, own.args, context);
  },
  plan(args, state, context) {
    const own = delegateOf(args, context);
    if (own !== undefined) return own.module.plan(own.args, state, context);
    const { packageManager } = context.facts.base;
    return {
      steps: [],
      diffs: [],
      fail: `this host's package manager (${packageManager}) is not apt or dnf`,
    };
  },
  result(state, outcome, args, context) {
    const own = delegateOf(args, context);
    return own?.module.result?.(state, outcome, own.args, context) ?? {};
  },
});
