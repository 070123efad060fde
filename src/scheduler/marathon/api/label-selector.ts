/** `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`; a comma between selectors means and. */
import { message } from "../model/api-error.ts";

type Labels = Readonly<Record<string, string>>;
type Selector = (labels: Labels) => boolean;

const pattern = /^\s*([^\s=!,()]+)\s*(?:(==|=|!=)\s*([^\s,()]+)|\s(in|notin)\s*\(([^()]*)\))?\s*(?:,|$)/;

export function parseLabelSelector(text: string): Selector {
  const selectors: Selector[] = [];
  let rest = text;
  while (rest.trim() !== "") {
    const match = pattern.exec(rest);
    if (match === null) throw message(400, `Cannot parse label selector '${text}'`);
    selectors.push(selectorOf(match));
    rest = rest.slice(match[0].length);
  }
  return (labels) => selectors.every((selector) => selector(labels));
}

function selectorOf([, key = "", operator, value, membership, list = ""]: RegExpExecArray): Selector {
  if (operator !== undefined) {
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  if (membership === undefined) return (labels) => Object.hasOwn(labels, key);
  const values = new Set(list.split(",").map((item) => item.trim()));
  const isMember: Selector = (labels) => values.has(labels[key] ?? "") && Object.hasOwn(labels, key);
  return membership === "in" ? isMember : (labels) => !isMember(labels);
}
