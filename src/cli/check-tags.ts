/** --tags with a tag that no task has: a run that does nothing says nothing about the typo. */
import type { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { Inherited, Playbook, Statement, Tag } from "../provisioning/playbook/model.ts";
import { badUsage } from "./parse-options.ts";

const special: ReadonlySet<string> = new Set(["all", "tagged", "untagged", "always", "never"]);

export function unknownTag(
  only: readonly string[],
  playbooks: readonly Playbook[],
): ProvisionError | undefined {
  const known = new Set<Tag>();
  for (const play of playbooks.flatMap(({ plays }) => plays)) {
    const statements = [play.preTasks, play.tasks, play.postTasks].flat();
    const roles = play.roles.flatMap((invocation) => [invocation, ...invocation.role.tasks]);
    for (const tag of [...play.tags, ...tagsIn([...statements, ...roles])]) known.add(tag);
  }
  // What is included while the run goes, and rendered names, are not known yet.
  const names = [...known].filter((tag) => typeof tag === "string");
  if (names.length < known.size || known.has(unknowable)) return undefined;
  const missing = only.find((tag) => !special.has(tag) && !known.has(tag));
  if (missing === undefined) return undefined;
  const near = nearest(missing, names);
  return badUsage(
    `no task has the tag "${missing}"`,
    known.size === 0 ? "no task has any tag" : "--list-tags shows them",
    near === undefined ? undefined : `--tags ${near}`,
  );
}

/** Stands for the tags of files that are found later. */
const unknowable = "\0";

function* tagsIn(statements: readonly (Statement | Inherited)[]): Generator<Tag> {
  for (const statement of statements) {
    yield* statement.tags;
    if (!("kind" in statement)) continue;
    if (statement.kind === "block")
      yield* tagsIn([...statement.block, ...statement.rescue, ...statement.always]);
    else if (statement.kind !== "task") yield unknowable;
  }
}
