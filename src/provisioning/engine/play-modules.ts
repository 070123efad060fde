/** The modules that statements use: loaded before they run, so that looking ahead needs no waiting. */
import type { Play, Statement } from "../playbook/model.ts";

export function* modulesIn(statements: readonly Statement[]): Generator<string> {
  for (const statement of statements) {
    if (statement.kind === "task") yield statement.module;
    else if (statement.kind === "block") {
      yield* modulesIn(statement.block);
      yield* modulesIn(statement.rescue);
      yield* modulesIn(statement.always);
    }
  }
}

export function modulesOf(play: Play): ReadonlySet<string> {
  const lists = [play.preTasks, play.tasks, play.postTasks, play.handlers];
  const ofRoles = play.roles.flatMap(({ role }) => [role.tasks, role.handlers]);
  return new Set([...lists, ...ofRoles].flatMap((list) => [...modulesIn(list)]));
}
