/** group_vars/ and host_vars/ beside an inventory or a playbook: found as Ansible finds them, read with their places. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import { statPath } from "../../base/stat-path.ts";
import { type DecryptText, isVaultText, readableText } from "../source/decrypt.ts";
import type { SourceNode } from "../source/node.ts";
import { parseYaml } from "../source/parse-yaml.ts";
import { keyText } from "../source/to-plain.ts";
import type { VarsFile } from "./inventory.ts";
import { inventoryError } from "./inventory-errors.ts";
import { limits } from "./limits.ts";

export type VarsKind = "group_vars" | "host_vars";
const endings = ["", ".yml", ".yaml", ".json"] as const;

/** A folder that may hold group_vars/ and host_vars/. Looks and reads once. */
export class VarsFolder {
  readonly #folder: string;
  readonly #decrypt: DecryptText | undefined;
  readonly #listings = new Map<VarsKind, ReadonlySet<string>>();
  readonly #read = new Map<string, readonly VarsFile[]>();

  constructor(folder: string, decrypt?: DecryptText) {
    this.#folder = folder;
    this.#decrypt = decrypt;
  }

  read(kind: VarsKind, name: string): readonly VarsFile[] {
    const [top = name] = name.split("/");
    const listing = this.#listing(kind);
    if (!endings.some((ending) => listing.has(top + ending)) && !listing.has(top)) return none;
    const key = `${kind}/${name}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const files = findVarsFiles(this.#folder, kind, name).map((path) => readVarsFile(path, this.#decrypt));
    this.#read.set(key, files);
    return files;
  }

  #listing(kind: VarsKind): ReadonlySet<string> {
    const known = this.#listings.get(kind);
    if (known !== undefined) return known;
    const folder = join(this.#folder, kind);
    const isFolder = statPath(folder)?.isDirectory() === true;
    const listing = new Set(isFolder ? readdirSync(folder) : []);
    this.#listings.set(kind, listing);
    return listing;
  }
}

const none: readonly VarsFile[] = [];

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
      state: `the file holds ${root.kind === "list" ? "a list" : "text"}`,
      span: root.span,
      why: "a file of variables is a map: name: value",
      fix: mapFix(root),
    });
  }
  for (const { key, value } of root.entries) vars.set(keyText(key), value);
  return { path, vars };
}

function mapFix(root: SourceNode): string {
  const text = root.kind === "scalar" ? String(root.value) : "";
  const [, name, value] = /^(\w+) *= *(\S+)/.exec(text) ?? [];
  if (name !== undefined) return `write "${name}: ${value}"`;
  return root.kind === "list"
    ? 'write "name: value" instead of "- name: value"'
    : 'write "name: value", a line each';
}

function clearText(text: string, path: string, decrypt: DecryptText | undefined): string {
  if (!isVaultText(text)) return text;
  const span = { file: path, line: 1, column: 1 };
  if (decrypt !== undefined) return decrypt(text, span);
  throw inventoryError(path, span, "it is encrypted, and there is no vault password", {
    fix: "add --vault-password-file FILE or --ask-vault-pass",
  });
}
