/** Attributes of an agent: `rack:r1;zone:{a,b};level:3;ids:[1-5]`. What is neither number, range nor set is text. */
import { formatQuantity, parseQuantity, ranges, scalar, set } from "./quantity.ts";
import type { Attribute } from "./resource.ts";
import { WireError } from "./wire.ts";

export function parseAttributes(text: string): Attribute[] {
  const found: Attribute[] = [];
  for (const part of text.split(/[;\n]/).map((piece) => piece.trim())) {
    if (part === "") continue;
    const colon = part.indexOf(":");
    if (colon < 1) throw new WireError(`"${part}" is no attribute like rack:r1`);
    found.push(parseAttribute(part.slice(0, colon).trim(), part.slice(colon + 1).trim()));
  }
  return found;
}

function parseAttribute(name: string, text: string): Attribute {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return { name, type: "TEXT", text: { value: text } };
  if (quantity.kind === "scalar") return { name, type: "SCALAR", scalar: { value: quantity.milli / 1000 } };
  if (quantity.kind === "set") return { name, type: "SET", set: { item: [...quantity.items] } };
  return { name, type: "RANGES", ranges: { range: [...quantity.ranges] } };
}

/** An attribute's value as text: what constraints compare and consoles show. */
export function attributeText(attribute: Attribute): string {
  if (attribute.type === "TEXT") return attribute.text?.value ?? "";
  if (attribute.type === "SCALAR") return formatQuantity(scalar(attribute.scalar?.value ?? 0));
  if (attribute.type === "SET") return formatQuantity(set(attribute.set?.item ?? []));
  return formatQuantity(ranges(attribute.ranges?.range ?? []));
}

/** The model of `/state`: numbers stay numbers, the rest is text. */
export const attributesModel = (attributes: readonly Attribute[]): Record<string, number | string> =>
  Object.fromEntries(
    attributes.map((attribute) => [
      attribute.name,
      attribute.type === "SCALAR" ? (attribute.scalar?.value ?? 0) : attributeText(attribute),
    ]),
  );
