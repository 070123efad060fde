/** Whether one more instance of an app may go to an agent, as its constraints see it. */
import type { Attribute } from "../../mesos/protocol/resource.ts";
import type { Constraint } from "../model/app.ts";

export interface Place {
  readonly host: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface PlacementView {
  readonly candidate: Place;
  /** The app's living instances. */
  readonly placed: readonly Place[];
  /** Every agent that is known: GROUP_BY without a count divides among them. */
  readonly agents: readonly Place[];
  /** How many instances the app wants. */
  readonly instances: number;
}

export const satisfies = (constraint: Constraint, view: PlacementView): boolean => {
  const value = fieldOf(view.candidate, constraint.field);
  if (value === undefined) return constraint.operator === "UNLIKE";
  return rules[constraint.operator](constraint, value, view);
};

type Rule = (constraint: Constraint, value: string, view: PlacementView) => boolean;

const rules: Readonly<Record<Constraint["operator"], Rule>> = {
  UNIQUE: ({ field }, value, { placed }) => countOf(placed, field, value) === 0,
  CLUSTER: ({ field, value: wanted }, value, { placed }) =>
    wanted === undefined ? placed.every((place) => fieldOf(place, field) === value) : value === wanted,
  GROUP_BY: groupBy,
  LIKE: ({ value: pattern = "" }, value) => fullMatch(pattern, value),
  UNLIKE: ({ value: pattern = "" }, value) => !fullMatch(pattern, value),
  MAX_PER: ({ field, value: limit = "0" }, value, { placed }) =>
    countOf(placed, field, value) < Number(limit),
  IS: ({ value: wanted }, value) => value === wanted,
};

/** Every value may hold instances / groups; the remainder goes to as many values, one each. */
function groupBy({ field, value: groups }: Constraint, value: string, view: PlacementView): boolean {
  const counts = countsBy(view.placed, field);
  const values = new Set([
    ...counts.keys(),
    value,
    ...view.agents.flatMap((agent) => fieldOf(agent, field) ?? []),
  ]);
  const count = groups === undefined ? values.size : Math.max(1, Number(groups));
  if (!counts.has(value) && counts.size >= Math.max(count, 1) && groups !== undefined) return false;
  const share = Math.floor(view.instances / count);
  const remainder = view.instances % count;
  const here = counts.get(value) ?? 0;
  if (here < share) return true;
  const fuller = [...counts.values()].filter((n) => n > share).length;
  return here === share && fuller < remainder;
}

export function countsBy(placed: readonly Place[], field: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const place of placed) {
    const value = fieldOf(place, field);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

const countOf = (placed: readonly Place[], field: string, value: string): number =>
  placed.filter((place) => fieldOf(place, field) === value).length;

export const fieldOf = (place: Place, field: string): string | undefined =>
  field === "hostname" || field === "@hostname" ? place.host : place.attributes[field];

const compiled = new Map<string, RegExp>();
const maxCompiled = 1000;

/** Patterns are checked when the app is posted; one that does not compile matches nothing. */
function fullMatch(pattern: string, value: string): boolean {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    if (compiled.size >= maxCompiled) compiled.clear();
    expression = new RegExp(`^(?:${pattern})$`);
    compiled.set(pattern, expression);
  }
  return expression.test(value);
}

/** Attributes as text: scalars with up to three decimals, ranges "[1-5]", sets "{a,b}". */
export function attributeTexts(attributes: readonly Attribute[]): Readonly<Record<string, string>> {
  return Object.fromEntries(attributes.map((attribute) => [attribute.name, attributeText(attribute)]));
}

function attributeText(attribute: Attribute): string {
  if (attribute.text !== undefined) return attribute.text.value;
  if (attribute.scalar !== undefined) return String(Math.round(attribute.scalar.value * 1000) / 1000);
  if (attribute.ranges !== undefined) {
    return `[${attribute.ranges.range.map(({ begin, end }) => `${begin}-${end}`).join(",")}]`;
  }
  return `{${(attribute.set?.item ?? []).join(",")}}`;
}
