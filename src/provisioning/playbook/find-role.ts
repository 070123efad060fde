/** A role's name → its folder: beside the playbook, on the roles path, or in a collection (`namespace.collection.role`). */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve, sep } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { isFolder, type LoadContext } from "./load-context.ts";

export interface FoundRole {
  readonly dir: string;
  /** Of a collection's role the full one. */
  readonly name: string;
}

export function findRole(name: string, span: Span, context: LoadContext): FoundRole {
  const inCollection = collectionRole(name, context);
  if (inCollection !== undefined) return inCollection;
  const folders = roleFolders(context);
  const direct = name.includes("/") ? [resolve(context.playbookDir, name)] : [];
  const dir = [...direct, ...folders.map((folder) => join(folder, name))].find(isFolder);
  if (dir !== undefined) return { dir, name: fullName(dir) ?? dir.slice(dir.lastIndexOf(sep) + 1) };
  throw unknownRole(name, span, context);
}

const roleFolders = ({ playbookDir, options, role }: LoadContext): string[] => [
  ...new Set([
    join(playbookDir, "roles"),
    ...options.rolesPath,
    ...(role === undefined ? [] : [resolve(role.dir, "..")]),
    playbookDir,
  ]),
];

const usualCollections = (): readonly string[] => [
  join(homedir(), ".ansible/collections"),
  "/usr/share/ansible/collections",
];

const collectionFolders = ({ playbookDir, options }: LoadContext): string[] =>
  [join(playbookDir, "collections"), ...(options.collectionsPath ?? usualCollections())].map((folder) =>
    basename(folder) === "ansible_collections" ? folder : join(folder, "ansible_collections"),
  );

/** By its full name, or by its last part in one of the collections that the play names. */
function collectionRole(name: string, context: LoadContext): FoundRole | undefined {
  const isFull = /^\w+\.\w+\.\w+$/.test(name);
  const names = isFull ? [name] : context.collections.map((collection) => `${collection}.${name}`);
  for (const full of names) {
    const [namespace = "", collection = "", role = ""] = full.split(".");
    const dir = collectionFolders(context)
      .map((folder) => join(folder, namespace, collection, "roles", role))
      .find(isFolder);
    if (dir !== undefined && /^\w+$/.test(role)) return { dir, name: full };
  }
  return undefined;
}

/** "namespace.collection" of a role that lies in one. */
export function collectionOf(dir: string): string | undefined {
  const found = /\/ansible_collections\/(\w+)\/(\w+)\/roles\/\w+$/.exec(dir);
  return found === null ? undefined : `${found[1]}.${found[2]}`;
}
const fullName = (dir: string): string | undefined => {
  const collection = collectionOf(dir);
  return collection === undefined ? undefined : `${collection}.${dir.slice(dir.lastIndexOf(sep) + 1)}`;
};

function unknownRole(name: string, span: Span, context: LoadContext): ProvisionError {
  const folders = roleFolders(context);
  const isFull = /^\w+\.\w+\.\w+$/.test(name);
  const near = nearest(name, folders.flatMap(listFolders));
  const [namespace = "", collection = ""] = name.split(".");
  return new ProvisionError({
    code: "unknown-role",
    action: `load role "${name}"`,
    state: `there is no role "${name}"`,
    span,
    why: `looked in ${[...(isFull ? collectionFolders(context) : []), ...folders].join(", ")}`,
    fix:
      near !== undefined
        ? `write "${near}" instead of "${name}"`
        : isFull
          ? `put the collection into collections/ansible_collections/${namespace}/${collection} beside the playbook`
          : `put it at ${join("roles", name, "tasks/main.yml")} beside the playbook`,
  });
}

const listFolders = (folder: string): string[] =>
  isFolder(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];
