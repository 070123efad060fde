/**
 * What the loader carries with it: where it is, whose file it reads, and where errors go. All errors of a load are
 * collected, so a user sees them at once.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ErrorCollector, ProvisionError, type Span } from "../../base/errors.ts";
import { statPath } from "../../base/stat-path.ts";
import { readableText } from "../source/decrypt.ts";
import type { SourceNode } from "../source/node.ts";
import { parseYaml } from "../source/parse-yaml.ts";
import type { ModuleCatalogue, Role, Statement } from "./model.ts";

export interface LoadOptions {
  readonly catalogue: ModuleCatalogue;
  /** Further folders with roles, after `roles/` beside the playbook. */
  readonly rolesPath: readonly string[];
  /** Where collections are, instead of the usual places; those beside the playbook come first always. */
  readonly collectionsPath?: readonly string[];
  /** Opens text that starts with `$ANSIBLE_VAULT`. */
  readonly decrypt?: ((text: string, span: Span) => string) | undefined;
}

export interface LoadContext {
  readonly options: LoadOptions;
  readonly errors: ErrorCollector;
  /** The playbook's folder. */
  readonly playbookDir: string;
  /** The folder of the file that is being read. */
  readonly fileDir: string;
  readonly role: Role | undefined;
  /** `collections:` of the play or the role: where bare names of roles are looked for first. */
  readonly collections: readonly string[];
  /** Handlers may listen, and their imports are looked for beside handlers. */
  readonly inHandlers: boolean;
  /** Files whose import is under way, to refuse a cycle. */
  readonly importing: readonly string[];
  /** Roles already read in this load, by folder and part names: one object each, however often it is used. */
  readonly roles: Map<string, Role>;
  /** Handlers of statically imported roles belong to the play. */
  readonly addHandlers: (handlers: readonly Statement[]) => void;
}

export const freshContext = (options: LoadOptions, file: string): LoadContext => ({
  options,
  errors: new ErrorCollector(),
  playbookDir: resolve(file, ".."),
  fileDir: resolve(file, ".."),
  role: undefined,
  collections: [],
  inHandlers: false,
  importing: [file],
  roles: new Map(),
  addHandlers: () => undefined,
});

/** Where relative paths of a task start: the role's folder, or the playbook's. */
export const baseDirOf = (context: LoadContext): string => context.role?.dir ?? context.playbookDir;

export const isFile = (path: string): boolean => statPath(path)?.isFile() === true;
export const isFolder = (path: string): boolean => statPath(path)?.isDirectory() === true;

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new ProvisionError({
      code: "missing-file",
      action: `read "${file}"`,
      state: `${cause.code}`,
      cause,
    });
  }
}

/** A YAML file as a node; undefined when it is empty. Throws ProvisionError. */
export function readYamlFile(file: string, options: LoadOptions): SourceNode | undefined {
  const text = readableText(readBytes(file), file);
  const isVault = text.startsWith("$ANSIBLE_VAULT");
  const open = options.decrypt;
  if (isVault && open === undefined) {
    throw new ProvisionError({
      code: "vault-locked",
      action: `read "${file}"`,
      state: "it is encrypted",
      span: { file, line: 1, column: 1 },
      why: "a vault file is opened with its password",
      fix: "--vault-password-file FILE",
    });
  }
  const plain = isVault && open !== undefined ? open(text, { file, line: 1, column: 1 }) : text;
  const node = parseYaml(plain, file);
  return node.kind === "scalar" && node.value === null ? undefined : node;
}

const yamlEndings = ["", ".yml", ".yaml", ".json"];

/** The first of `name`, `name.yml`, `name.yaml`, `name.json` in a folder. */
export function findYaml(folder: string, name: string): string | undefined {
  return yamlEndings.map((ending) => join(folder, name + ending)).find(isFile);
}
