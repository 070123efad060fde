/**
 * What the rendering under way has cost so far. A rendering is synchronous, so there is one at a time; one within
 * another (a lookup of a template) counts with it.
 */
import { Fault } from "./fault.ts";
import { expressionLimits } from "./limits.ts";

let spent = 0;
let depth = 0;

/** Everything that an expression may make runs within this. */
export function withinLimits<T>(work: () => T): T {
  if (depth === 0) spent = 0;
  depth++;
  try {
    return work();
  } finally {
    depth--;
  }
}

export function spend(work: number): void {
  if (depth === 0) return;
  spent += work;
  if (spent > expressionLimits.work)
    throw new Fault(`it takes more than ${expressionLimits.work} steps: loops and lists multiply`);
}

/** Walking over a list or mapping. */
export const spendOn = (members: number): void => spend(3 + members / 4);
