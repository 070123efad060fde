/** Roles that import_role brings, wherever it stands: like those in `roles:`, their vars and defaults are the whole play's. */
import type { Play, Role, Statement } from "../playbook/model.ts";
import type { RoleInUse } from "./frame.ts";

export function importedRoles(statements: readonly Statement[]): readonly RoleInUse[] {
  const found = new Set<Role>();
  for (const statement of statements) collect(statement, found);
  return [...found].map((role) => ({ role, params: undefined }));
}

export const importedRolesOf = ({
  preTasks,
  roles,
  tasks,
  postTasks,
  handlers,
}: Play): readonly RoleInUse[] =>
  importedRoles([
    ...preTasks,
    ...roles.flatMap(({ role }) => role.tasks),
    ...tasks,
    ...postTasks,
    ...handlers,
  ]);

function collect(statement: Statement, found: Set<Role>): void {
  if (statement.kind !== "block") return;
  if (statement.isRole === true && statement.role !== undefined) found.add(statement.role);
  for (const inner of [...statement.block, ...statement.rescue, ...statement.always]) collect(inner, found);
}
