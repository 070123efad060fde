/** `vars_prompt:` of a play. */
import type { SourceNode } from "../source/node.ts";
import type { LoadContext } from "./load-context.ts";
import type { VarsPrompt } from "./model.ts";
import {
  checkChoice,
  entryOf,
  keyOf,
  nodeAt,
  readMap,
  readSeveral,
  readText,
  unknownKeyword,
  wrongShape,
} from "./read-values.ts";

const keywords = [
  "name",
  "prompt",
  "default",
  "private",
  "confirm",
  "encrypt",
  "salt",
  "salt_size",
  "unsafe",
];
const schemes = ["sha512_crypt", "sha256_crypt"];

export function loadPrompts(node: SourceNode | undefined, context: LoadContext): VarsPrompt[] {
  const items = node === undefined ? [] : readSeveral(node);
  return items.flatMap((item) => context.errors.attempt(() => [promptOf(item, context)]) ?? []);
}

function promptOf(item: SourceNode, context: LoadContext): VarsPrompt {
  const map = readMap("vars_prompt", item);
  for (const entry of map.entries)
    if (!keywords.includes(keyOf(entry))) context.errors.add(unknownKeyword("vars_prompt", entry, keywords));
  const nameEntry = entryOf(map, "name");
  if (nameEntry === undefined) throw wrongShape("vars_prompt", "mappings with name and prompt", item);
  const name = readText("name", nameEntry.value);
  const fallback = nodeAt(map, "default");
  const text = (key: string): string | undefined => {
    const value = nodeAt(map, key);
    return value === undefined ? undefined : readText(key, value);
  };
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = nodeAt(map, key);
    if (value === undefined) return otherwise;
    if (value.kind === "scalar" && typeof value.value === "boolean") return value.value;
    throw wrongShape(key, "true or false", value);
  };
  checkChoice("encrypt", nodeAt(map, "encrypt"), schemes);
  const scheme = text("encrypt");
  return {
    name,
    prompt: text("prompt") ?? `input for ${name}`,
    private: flag("private", true),
    ...(fallback === undefined ? {} : { default: fallback }),
    confirm: flag("confirm", false),
    ...(scheme === undefined
      ? {}
      : {
          encrypt: {
            algorithm: scheme === "sha256_crypt" ? ("sha256" as const) : ("sha512" as const),
            salt: text("salt"),
            saltSize: Number(text("salt_size") ?? usualSaltSize),
          },
        }),
    span: item.span,
  };
}

const usualSaltSize = 16;
