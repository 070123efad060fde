/** group_vars/ and host_vars/ beside an inventory or a playbook: found as Ansible finds them, read with their places. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import { type DecryptText, isVaultText, readableText } from "../source/decrypt.ts";
import type { SourceNode } from "../source/node.ts";
import { parseYaml } from "../source/parse-yaml.ts";
import { keyText } from "../source/to-plain.ts";
import type { Inventory, VarsFile } from "./inventory.ts";
import { inventoryError } from "./inventory-errors.ts";
import { limits } from "./limits.ts";

export type VarsKind = "group_vars" | "host_vars";
const endings = ["", ".yml", ".yaml", ".json"] as const;

/** The folders that hold group_vars/ and host_vars/ for an inventory: the sources themselves, or where they lie. */
export function varsFolders(inventory: Inventory): readonly string[] {
  const folders = inventory.sources.flatMap((source) => {
    const found = statSync(source, { throwIfNoEntry: false });
    if (found === undefined) return [];
    return [found.isDirectory() ? source : dirname(source)];
  });
  return [...new Set(folders)];
}

/** The files below `folder` that hold variables of one group or host, weakest first. */
export function findVarsFiles(folder: string, kind: VarsKind, name: string): readonly string[] {
  if (name.startsWith("/") || name.split("/").includes("..")) return [];
  const base = join(folder, kind, name);
  const [first, second] = endings.map((ending) => base + ending).filter((path) => existsSync(path));
  if (first === undefined) return [];
  if (second !== undefined) {
    throw inventoryError(first, undefined, `"${second}" stands beside it`, {
      why: "Ansible reads only the first of them and silently passes over the other",
      fix: `make one of them, or a folder ${base}/ that holds both`,
    });
  }
  return statSync(first).isDirectory() ? filesBelow(first, 0) : [first];
}

function filesBelow(folder: string, depth: number): readonly string[] {
  if (depth > limits.folderDepth)
    throw inventoryError(folder, undefined, "its folders are nested too deeply");
  const names = readdirSync(folder).filter((name) => !name.startsWith(".") && !name.endsWith("~"));
  return names.sort(byCode).flatMap((name) => {
    const path = join(folder, name);
    const ending = extname(name);
    if (statSync(path).isDirectory()) return ending === "" ? filesBelow(path, depth + 1) : [];
    return endings.some((each) => each === ending) ? [path] : [];
  });
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Reads one file of variables: a map, or nothing. */
export function readVarsFile(path: string, decrypt?: DecryptText): VarsFile {
  const text = readableText(readFileSync(path), path);
  const root = parseYaml(clearText(text, path, decrypt), path);
  const vars = new Map<string, SourceNode>();
  if (root.kind === "scalar" && root.value === null) return { path, vars };
  if (root.kind !== "map") {
    throw new ProvisionError({
      code: "bad-yaml",
      action: `read variables of "${path}"`,
      state: `the file holds a ${root.kind}`,
      span: root.span,
      why: "a file of variables is a map: name: value",
    });
  }
  for (const { key, value } of root.entries) vars.set(keyText(key), value);
  return { path, vars };
}

function clearText(text: string, path: string, decrypt: DecryptText | undefined): string {
  if (!isVaultText(text)) return text;
  const span = { file: path, line: 1, column: 1 };
  if (decrypt !== undefined) return decrypt(text, span);
  throw inventoryError(path, span, "it is encrypted, and there is no vault password", {
    fix: "add --vault-password-file FILE or --ask-vault-pass",
  });
}
