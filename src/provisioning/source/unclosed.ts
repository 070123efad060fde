import { type CST, Parser } from "yaml";

/** Of the brackets and quotes that have no end, the last one opened at `noticed` or before. */
export function lastUnclosed(text: string, noticed: number): number | undefined {
  let found: number | undefined;
  const stack: CST.Token[] = [...new Parser().parse(text)];
  for (let token = stack.pop(); token !== undefined; token = stack.pop()) {
    if (isUnclosed(token) && token.offset <= noticed && token.offset >= (found ?? 0)) found = token.offset;
    if (token.type === "document" && token.value !== undefined) stack.push(token.value);
    if (!("items" in token)) continue;
    for (const { key, value } of token.items as readonly CST.CollectionItem[]) {
      if (key != null) stack.push(key);
      if (value !== undefined) stack.push(value);
    }
  }
  return found;
}

function isUnclosed(token: CST.Token): boolean {
  if (token.type === "flow-collection") {
    const close = token.start.type === "flow-seq-start" ? "flow-seq-end" : "flow-map-end";
    return !token.end.some(({ type }) => type === close);
  }
  if (token.type !== "single-quoted-scalar" && token.type !== "double-quoted-scalar") return false;
  return token.source.length < 2 || !token.source.endsWith(token.source[0] ?? "");
}
