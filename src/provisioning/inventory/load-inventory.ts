import { constants } from "node:fs";
import { access, readdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { statPath } from "../../base/stat-path.ts";
import type { DecryptText } from "../source/decrypt.ts";
import { isVaultText, readableText } from "../source/decrypt.ts";
import type { SourceNode } from "../source/node.ts";
import { parseYaml } from "../source/parse-yaml.ts";
import { hostNames } from "./host-names.ts";
import type { Inventory } from "./inventory.ts";
import { InventoryBuilder } from "./inventory-builder.ts";
import { inventoryError } from "./inventory-errors.ts";
import { limits } from "./limits.ts";
import { parseIni } from "./parse-ini.ts";
import { parseYamlInventory } from "./parse-yaml-inventory.ts";
import { runInventoryScript } from "./run-script.ts";

export interface LoadInventoryOptions {
  /** Relative sources start here. Default: the process' folder. */
  readonly cwd?: string;
  readonly decrypt?: DecryptText;
}

/**
 * Reads every `-i` in order: INI, YAML, a folder of them, an executable that prints JSON, or "host1,host2,".
 * `Inventory.sources` holds absolute paths (host lists as they are).
 */
export async function loadInventory(
  sources: readonly string[],
  options: LoadInventoryOptions = {},
): Promise<Inventory> {
  const builder = new InventoryBuilder();
  const resolved: string[] = [];
  for (const source of sources) {
    const path = resolve(options.cwd ?? process.cwd(), source);
    const kind = kindOf(path);
    if (kind === "missing" && source.includes(",")) {
      readHostList(source, builder);
      resolved.push(source);
      continue;
    }
    if (kind === "missing") throw await missing(source, path);
    await (kind === "folder" ? readFolder(path, builder, options, 0) : readSource(path, builder, options));
    resolved.push(path);
  }
  return builder.build(resolved);
}

type Kind = "missing" | "folder" | "file";

function kindOf(path: string): Kind {
  const found = statPath(path);
  if (found === undefined) return "missing";
  if (found.isDirectory()) return "folder";
  if (found.isFile() || path === "/dev/null") return "file";
  throw inventoryError(path, undefined, "it is a pipe, a socket or a device", {
    why: "an inventory is read as a whole, and read again when it is refreshed",
    fix: "write it into a file, or give the program that prints it",
  });
}

async function missing(source: string, path: string): Promise<ProvisionError> {
  const siblings = await readdir(dirname(path)).catch(() => []);
  const near = nearest(basename(path), siblings);
  return new ProvisionError({
    code: "missing-file",
    action: `read inventory "${source}"`,
    state: "there is no such file or folder",
    why: "an inventory is a file, a folder, or a list of hosts with a comma in it",
    fix:
      near === undefined
        ? `to mean a host of that name, write "${source},"`
        : `write "${join(dirname(source), near)}"`,
  });
}

function readHostList(list: string, builder: InventoryBuilder): void {
  for (const item of list.split(",")) {
    const name = item.trim();
    if (name === "") continue;
    const span: Span = {
      file: list,
      line: 1,
      column: list.indexOf(item) + 1,
      length: name.length,
      sourceLine: list,
    };
    const { names, port } = hostNames(name, span);
    builder.addHosts({ names, port, group: "ungrouped", file: list, span });
  }
}

const ignoredNames = new Set(["host_vars", "group_vars", "vars_plugins"]);
const ignoredEndings = /(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/;

async function readFolder(
  folder: string,
  builder: InventoryBuilder,
  options: LoadInventoryOptions,
  depth: number,
): Promise<void> {
  if (depth > limits.folderDepth)
    throw inventoryError(folder, undefined, "its folders are nested too deeply");
  const names = (await readdir(folder))
    .filter((name) => !name.startsWith(".") && !ignoredNames.has(name))
    .sort(byBytes);
  const read = names.filter((name) => !ignoredEndings.test(name));
  const [ignored] = names.filter((name) => ignoredEndings.test(name));
  if (read.length === 0) {
    throw inventoryError(folder, undefined, "it holds no inventory", {
      why: "in a folder, files that end in .ini, .cfg, .txt, .md and the like are passed over, as in Ansible",
      fix:
        ignored === undefined
          ? `put one at ${join(folder, "hosts")}`
          : `name a file: -i ${join(folder, ignored)}`,
    });
  }
  for (const name of read) {
    const path = join(folder, name);
    const kind = kindOf(path);
    if (kind === "folder") await readFolder(path, builder, options, depth + 1);
    else await readSource(path, builder, options);
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function readSource(
  file: string,
  builder: InventoryBuilder,
  options: LoadInventoryOptions,
): Promise<void> {
  const bytes = await readFile(file);
  const isProgram =
    bytes.subarray(0, 2).toString("latin1") === "#!" || bytes.subarray(0, 4).toString("latin1") === "\x7fELF";
  if (isProgram) {
    await refuseUnlessExecutable(file);
    return runInventoryScript(file, builder);
  }
  const text = clearText(readableText(bytes, file), file, options.decrypt);
  if (extname(file) === ".toml") {
    throw inventoryError(file, undefined, "it is TOML", {
      why: "inventories are INI, YAML or programs that print JSON",
    });
  }
  if (isYaml(text, file)) parseYamlInventory(yamlOf(text, file), file, builder);
  else parseIni(text, file, builder);
}

function clearText(text: string, file: string, decrypt: DecryptText | undefined): string {
  if (!isVaultText(text)) return text;
  const span: Span = { file, line: 1, column: 1 };
  if (decrypt !== undefined) return decrypt(text, span);
  throw inventoryError(file, span, "it is encrypted, and there is no vault password");
}

async function refuseUnlessExecutable(file: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EACCES") {
      throw inventoryError(file, { file, line: 1, column: 1 }, "it is a program and not executable", {
        fix: `chmod +x ${file}`,
      });
    }
    throw cause;
  }
}

/** Ansible reads such a file as INI after all, whatever its ending says. */
function yamlOf(text: string, file: string): SourceNode {
  try {
    return parseYaml(text, file);
  } catch (error) {
    if (!(error instanceof ProvisionError) || !/^\[[^\]]+\]\s*$/m.test(text)) throw error;
    const { action, state, span, cause } = error;
    throw new ProvisionError({
      code: "bad-inventory",
      action,
      state,
      span,
      why: `its ending "${extname(file)}" says YAML, and it looks like INI`,
      fix: `mv ${basename(file)} ${basename(file, extname(file))}.ini`,
      cause,
    });
  }
}

/** By the ending; without one that says it, by the first line that counts. */
function isYaml(text: string, file: string): boolean {
  const ending = extname(file);
  if (ending === ".yml" || ending === ".yaml" || ending === ".json") return true;
  if (ending === ".ini") return false;
  const first = text.split("\n").find((line) => line.trim() !== "" && !/^\s*[#;]/.test(line)) ?? "";
  return /^(?:---|\{|[^\s=[\]]+:\s*(?:#.*)?$)/.test(first.trimEnd());
}
