/** Where a statement stands: what it inherits from play, role, blocks and includes, outermost first. */
import type { Block, Condition, Inherited, Role, RoleInvocation, Statement, Tag } from "../playbook/model.ts";
import type { MapNode, SourceNode } from "../source/node.ts";
import { type Layer, layerOf } from "../vars/precedence.ts";

export interface RoleInUse {
  readonly role: Role;
  readonly params: MapNode | undefined;
  /** `vars:` beside the role's name: weaker than its vars/main.yml, as in Ansible. */
  readonly vars?: MapNode | undefined;
  /** See RoleInvocation.once. */
  readonly once?: string | undefined;
  /** See Block.use. */
  readonly use?: string | undefined;
}

export interface Frame {
  /** Play, role invocations, blocks and includes around the statement. */
  readonly chain: readonly Inherited[];
  /** Roles around it, outermost first: the innermost one's vars and defaults count most. */
  readonly roles: readonly RoleInUse[];
  /** Loop variables and `vars` of the includes around it, outermost first. */
  readonly includeParams: readonly Layer[];
  /** `notify:` of the blocks around it. */
  readonly notify: readonly SourceNode[];
  /** A failure here is caught by a rescue further out. */
  readonly rescuable: boolean;
  readonly handlers: boolean;
  readonly depth: number;
}

export const enter = (frame: Frame, inner: Inherited): Frame => ({
  ...frame,
  chain: [...frame.chain, inner],
});

export const enterBlock = (frame: Frame, block: Block): Frame => ({
  ...enter(frame, block),
  // A block that import_role made belongs to another role than what is around it.
  roles:
    block.role === undefined || block.role === frame.roles.at(-1)?.role
      ? frame.roles
      : [...frame.roles, { role: block.role, params: undefined, once: block.once, use: block.use }],
  includeParams:
    block.varsAreParams === true
      ? [...frame.includeParams, layerOf(block.vars, "include params")]
      : frame.includeParams,
  notify: [...frame.notify, ...block.notify],
  rescuable: frame.rescuable || block.rescue.length > 0,
});

export const enterRole = (
  frame: Frame,
  { kind: _kind, role, params, vars, once, within = [], span: _span, ...inherited }: RoleInvocation,
): Frame => ({
  ...enter(frame, inherited),
  roles: [...frame.roles, ...within, { role, params, vars, once }],
});

type Keyword = {
  [K in keyof Inherited]-?: Exclude<Inherited[K], undefined> extends SourceNode ? K : never;
}[keyof Inherited];

/** The innermost setting of a keyword. */
export function keyword(frame: Frame, statement: Inherited, name: Keyword): SourceNode | undefined {
  if (statement[name] !== undefined) return statement[name];
  for (let at = frame.chain.length - 1; at >= 0; at--) {
    const found = frame.chain[at]?.[name];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every condition around the statement, the outermost first. */
export const conditionsOf = (frame: Frame, statement: Inherited): readonly Condition[] => [
  ...frame.chain.flatMap(({ when }) => when),
  ...statement.when,
];

export const tagsOf = (frame: Frame, statement: Inherited): readonly Tag[] => [
  ...new Set([...frame.chain.flatMap(({ tags }) => tags), ...statement.tags]),
];

/** Inner ones override outer ones: to be merged in this order. */
export const environmentsOf = (frame: Frame, statement: Inherited): readonly SourceNode[] =>
  [...frame.chain, statement].flatMap(({ environment }) => environment ?? []);

/**
 * What follows a statement, as a linked list of places: the walk goes on where the innermost list goes on. Read by the
 * look-ahead only; what truly happens next is the walker's business.
 */
export interface Ahead {
  readonly statements: readonly Statement[];
  /** The next one. */
  readonly from: number;
  readonly frame: Frame;
  readonly then: Ahead | undefined;
}

/** What does something itself. */
export type SingleStatement = Exclude<Statement, { readonly kind: "block" }>;

export interface Coming {
  readonly statement: SingleStatement;
  readonly frame: Frame;
}

/** The statements that come next if nothing fails: blocks are entered, rescues are not. */
export function* coming(ahead: Ahead | undefined): Generator<Coming> {
  for (let place = ahead; place !== undefined; place = place.then) {
    for (let at = place.from; at < place.statements.length; at++) {
      const statement = place.statements[at];
      if (statement !== undefined) yield* inside(statement, place.frame);
    }
  }
}

function* inside(statement: Statement, frame: Frame): Generator<Coming> {
  if (statement.kind !== "block") {
    yield { statement, frame };
    return;
  }
  const inner = enterBlock(frame, statement);
  for (const each of [...statement.block, ...statement.always]) yield* inside(each, inner);
}
