/** Roles that other roles depend on, and when two of them are the same. */
import type { RoleInvocation } from "./model.ts";

type Signed = Pick<RoleInvocation, "role" | "params" | "vars" | "when">;

/** The same role with the same parameters has the same. */
export const signatureOf = ({ role, params, vars, when }: Signed): string =>
  JSON.stringify([role.dir, params, vars, when.map(({ expression }) => expression)], (key, value) =>
    key === "span" ? undefined : value,
  );

/** What a role depends on, in its place: what the role inherits and is given counts for them too. */
export function dependenciesOf(invocation: RoleInvocation): readonly RoleInvocation[] {
  return invocation.role.dependencies.map((dependency) => ({
    ...dependency,
    tags: [...invocation.tags, ...dependency.tags],
    when: [...invocation.when, ...dependency.when],
    within: [...(invocation.within ?? []), invocation],
    ...inheritedBecome(invocation, dependency),
  }));
}

const inheritedBecome = (outer: RoleInvocation, inner: RoleInvocation): Partial<RoleInvocation> =>
  outer.become !== undefined && inner.become === undefined
    ? { become: outer.become, ...(outer.becomeUser === undefined ? {} : { becomeUser: outer.becomeUser }) }
    : {};
