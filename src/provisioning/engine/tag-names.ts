/**
 * Templates in `tags`. Tasks are chosen before a host is looked at, as in Ansible: what the play itself and -e say is
 * seen, what the inventory says of hosts, what is gathered and what is set while the play runs is not.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import type { Play, Statement, Tag } from "../playbook/model.ts";
import type { ScalarNode } from "../source/node.ts";
import { LayeredScope, layerOf } from "../vars/precedence.ts";
import { render } from "../vars/render.ts";
import type { Variable } from "../vars/variable.ts";
import { enterBlock, type Frame, type RoleInUse, tagsOf } from "./frame.ts";
import { readVarsFile } from "./load-vars.ts";
import { magicOfPlay } from "./magic-variables.ts";
import type { RunState } from "./run-state.ts";

interface OfPlay {
  readonly play: Play;
  readonly playVars: ReadonlyMap<string, Variable>;
  readonly publicRoles: readonly RoleInUse[];
}

export class TagNames {
  readonly #run: RunState;
  readonly #of: OfPlay;
  #varsFiles: readonly ReadonlyMap<string, Variable>[] | undefined;

  constructor(run: RunState, of: OfPlay) {
    this.#run = run;
    this.#of = of;
  }

  named(tags: readonly Tag[], frame: Frame): readonly string[] {
    if (tags.every((tag) => typeof tag === "string")) return tags;
    return [...new Set(tags.flatMap((tag) => (typeof tag === "string" ? tag : this.#rendered(tag, frame))))];
  }

  /** What cannot be rendered is heard before anything is done, whether tags were asked for or not. */
  check(statements: readonly Statement[], frame: Frame): readonly Statement[] {
    for (const statement of statements) {
      this.named(tagsOf(frame, statement), frame);
      if (statement.kind !== "block") continue;
      const inner = [...statement.block, ...statement.rescue, ...statement.always];
      this.check(inner, enterBlock(frame, statement));
    }
    return statements;
  }

  #rendered(tag: ScalarNode, frame: Frame): readonly string[] {
    const values = [this.#value(tag, frame)].flat();
    const names = values.filter((value) => typeof value !== "object").map(String);
    if (names.length === values.length) return names.filter((name) => name !== "");
    throw new ProvisionError({
      code: "bad-argument",
      action: "render tags",
      state: `${tag.value} is ${JSON.stringify(values.find((value) => typeof value === "object"))}`,
      span: tag.span,
      why: "a tag is a name, or a list of names",
    });
  }

  #value(tag: ScalarNode, frame: Frame): JsonValue {
    try {
      return render(tag, {
        scope: this.#scope(frame),
        searchPath: [this.#of.play.baseDir],
        openVault: this.#run.request.openVault,
        env: this.#run.request.environment.env,
      });
    } catch (error) {
      if (!(error instanceof ProvisionError) || error.code !== "undefined-variable") throw error;
      const { code, state, span, cause } = error;
      const why =
        "tags choose tasks before any host is looked at: they see the play's own variables, those of its roles, and -e";
      throw new ProvisionError({ code, action: "render tags", state, span: span ?? tag.span, why, cause });
    }
  }

  #scope({ includeParams, roles }: Frame): LayeredScope {
    const { play, playVars, publicRoles } = this.#of;
    // Of one name the last role counts, and not the role that the task is in: no task is looked at yet.
    const seen = [...publicRoles.toReversed(), ...roles.toReversed()];
    return new LayeredScope({
      magic: { get: (name) => magicOfPlay({ run: this.#run, play }, name), keys: () => [] },
      extraVars: this.#run.request.extraVars,
      includeParams: includeParams.toReversed(),
      roleVars: seen.flatMap(({ role, vars }) => [
        layerOf(role.vars, `vars of role ${role.name}`),
        layerOf(vars, `vars beside role ${role.name}`),
      ]),
      varsFiles: this.#files(),
      varsPrompt: playVars,
      playVars: [layerOf(play.vars, "play vars")],
      roleDefaults: seen.map(({ role }) => layerOf(role.defaults, `defaults of role ${role.name}`)),
    });
  }

  /** The last one first. */
  #files(): readonly ReadonlyMap<string, Variable>[] {
    const { play } = this.#of;
    this.#varsFiles ??= play.varsFiles
      .flatMap((node) => {
        try {
          const names = [this.#run.renderPlain(node, play)].flat().map(String);
          return [readVarsFile(this.#run, play, names, node.span)];
        } catch (error) {
          // A name that only a host knows: as in Ansible, tags do without that file.
          if (error instanceof ProvisionError && error.code === "undefined-variable") return [];
          throw error;
        }
      })
      .reverse();
    return this.#varsFiles;
  }
}
