/** Files of the controller that a task needs: found beside the role and the playbook, read, rendered, hashed. */
import { createHash } from "node:crypto";
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { extname, isAbsolute, join, resolve } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { fileFix } from "../../base/file-fix.ts";
import { statPath } from "../../base/stat-path.ts";
import type { SourceAnswer, SourceRequest, TreeEntry } from "../modules/module.ts";
import { renderTemplateFile } from "../vars/render.ts";
import { limits } from "./limits.ts";
import type { OpenVaultFile } from "./run-request.ts";
import type { View } from "./view.ts";

/** Where relative paths of one task are looked for. */
export interface FileSearch {
  /** Role folder first, then the folders of the task's file and of the playbook. */
  readonly folders: readonly string[];
  readonly span: Span;
  readonly openVaultFile?: OpenVaultFile | undefined;
}

type Opening = Pick<FileSearch, "openVaultFile">;

export const readSources = (
  requests: readonly SourceRequest[],
  search: FileSearch,
  view: View,
): readonly SourceAnswer[] => requests.map((request) => readSource(request, search, view));

function readSource(request: SourceRequest, search: FileSearch, view: View): SourceAnswer {
  if (request.from === "local") return readLocal(request.path, search);
  if (request.from === "tree")
    return { kind: "tree", entries: readTree(find(request.path, "files", search), false, search) };
  if (request.from === "template") return readTemplate(request, search, view);
  if (request.from === "fragments") return readFragments(request, search);
  const path = find(request.path, request.in, search);
  const opening = request.keepVault === true ? {} : search;
  if (statSync(path).isDirectory())
    return { kind: "tree", entries: readTree(path, request.keepLinks === true, opening) };
  return request.keepVault === true ? readAnew(path, statSync(path), {}) : readFile(path, search);
}

function readFragments(
  { path, keepVault }: Extract<SourceRequest, { from: "fragments" }>,
  search: FileSearch,
): SourceAnswer {
  const folder = find(path, "files", search);
  if (!statSync(folder).isDirectory()) return { kind: "missing" };
  const opening = keepVault === true ? {} : search;
  const files = readdirSync(folder)
    .map((name) => ({ name, full: join(folder, name) }))
    .filter(({ full }) => statPath(full)?.isFile() === true)
    .map(({ name, full }) => ({ name, bytes: opened(full, opening) }));
  return { kind: "fragments", files };
}

function readLocal(path: string, search: FileSearch): SourceAnswer {
  const full = isAbsolute(path) ? path : resolve(search.folders.at(-1) ?? ".", path);
  const stat = statPath(full);
  if (stat?.isDirectory() === true) return { kind: "tree", entries: [] };
  return stat?.isFile() === true ? readFile(full, search) : { kind: "missing" };
}

function readTemplate(
  request: Extract<SourceRequest, { from: "template" }>,
  search: FileSearch,
  view: View,
): SourceAnswer {
  const path = find(request.path, "templates", search);
  const stat = statSync(path);
  const text = new TextDecoder().decode(opened(path, search));
  const language = extname(path) === ".hbs" ? "hbs" : "j2";
  const rendered = renderTemplateFile(
    {
      text,
      file: path,
      language,
      ...(request.syntax === undefined ? {} : { syntax: request.syntax }),
      variables: {
        ansible_managed: "Ansible managed",
        template_path: path,
        template_fullpath: path,
        template_mtime: pythonTime(stat.mtimeMs),
        template_run_date: pythonTime(Date.now()),
        template_host: hostname(),
        template_uid: userInfo().username,
        template_destpath: request.dest ?? "",
      },
    },
    { ...view.context, searchPath: [join(path, ".."), ...view.context.searchPath] },
  );
  const bytes = Buffer.from(rendered);
  return { kind: "file", bytes, sha256: sha256(bytes), mode: stat.mode & 0o7777 };
}

/** A datetime of Python, as text: local time, "2026-01-02 03:04:05.678000". */
const pythonTime = (ms: number): string => {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return `${local.toISOString().replace("T", " ").replace("Z", "")}000`;
};

function find(path: string, folder: "files" | "templates" | "tasks", search: FileSearch): string {
  const given = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
  const places = isAbsolute(given)
    ? [given]
    : search.folders.flatMap((base) => [join(base, folder, given), join(base, given)]);
  const found = places.find((place) => statPath(place) !== undefined);
  if (found !== undefined) return found;
  throw new ProvisionError({
    code: "missing-file",
    action: `read "${path}"`,
    state: "there is no such file on the controller",
    span: search.span,
    why: `looked for ${[...new Set(places)].join(", ")}`,
    fix: fileFix(path, places),
  });
}

interface Kept {
  readonly mtimeMs: number;
  readonly size: number;
  readonly inode: number;
  readonly answer: SourceAnswer;
}
/** By path; believed while time, size and inode of the file stay as they are. */
const kept = new Map<string, Kept>();
const keptLimit = 2_000;

function readFile(path: string, search: FileSearch): SourceAnswer {
  const stat = statSync(path);
  const old = kept.get(path);
  if (old !== undefined && old.mtimeMs === stat.mtimeMs && old.size === stat.size && old.inode === stat.ino) {
    return old.answer;
  }
  const answer = readAnew(path, stat, search);
  // Whether it opens depends on the passwords of the run.
  if (isOpenedVault(path, search)) return answer;
  if (kept.size >= keptLimit) kept.clear();
  kept.set(path, { mtimeMs: stat.mtimeMs, size: stat.size, inode: stat.ino, answer });
  return answer;
}

/** A vault is read whole, however large: only opened it is what is sent. */
function readAnew(path: string, stat: Stats, opening: Opening): SourceAnswer {
  if (stat.size > limits.inlineBytes && !isOpenedVault(path, opening)) return readLarge(path, stat);
  const bytes = opened(path, opening);
  return { kind: "file", bytes, sha256: sha256(bytes), mode: stat.mode & 0o7777 };
}

function readLarge(path: string, stat: Stats): SourceAnswer {
  const mode = stat.mode & 0o7777;
  const [sha256, sha1] = hashFile(path, ["sha256", "sha1"] as const);
  return { kind: "large", file: path, sha256, sha1, sizeBytes: stat.size, mode };
}

const vaultMark = Buffer.from("$ANSIBLE_VAULT;");

function isOpenedVault(path: string, { openVaultFile }: Opening): boolean {
  if (openVaultFile === undefined) return false;
  const begin = Buffer.alloc(vaultMark.length);
  const file = openSync(path, "r");
  try {
    readSync(file, begin);
  } finally {
    closeSync(file);
  }
  return begin.equals(vaultMark);
}

/** A file that is a vault travels opened. */
function opened(path: string, { openVaultFile }: Opening): Uint8Array {
  const bytes = readFileSync(path);
  if (openVaultFile === undefined || !bytes.subarray(0, vaultMark.length).equals(vaultMark)) return bytes;
  return openVaultFile(bytes.toString("latin1"), { file: path, line: 1, column: 1 });
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const chunkBytes = 1 << 20;

function hashFile<Names extends readonly string[]>(path: string, algorithms: Names) {
  const hashes = algorithms.map((algorithm) => createHash(algorithm));
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const file = openSync(path, "r");
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk))
      for (const hash of hashes) hash.update(chunk.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hashes.map((hash) => hash.digest("hex")) as { [K in keyof Names]: string };
}

function readTree(root: string, keepLinks: boolean, opening: Opening): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const visit = (folder: string, prefix: string, above: ReadonlySet<string>): void => {
    const own = realpathSync(folder);
    // A link to a folder that it lies in has no end.
    if (above.has(own)) return;
    for (const name of readdirSync(folder).sort()) {
      const full = join(folder, name);
      const path = prefix + name;
      // A link that leads nowhere can only be kept.
      const stat = (keepLinks ? undefined : statPath(full)) ?? lstatSync(full);
      const mode = stat.mode & 0o7777;
      if (stat.isSymbolicLink())
        entries.push({ path, mode, entry: { type: "link", target: readlinkSync(full) } });
      else if (stat.isDirectory()) {
        entries.push({ path, mode, entry: { type: "directory" } });
        visit(full, `${path}/`, new Set([...above, own]));
      } else {
        entries.push({ path, mode, entry: treeFile(full, stat.size, opening) });
      }
    }
  };
  visit(root, "", new Set());
  return entries;
}

function treeFile(file: string, sizeBytes: number, opening: Opening): TreeEntry["entry"] {
  if (!isOpenedVault(file, opening))
    return { type: "file", file, sha256: hashFile(file, ["sha256"] as const)[0], sizeBytes };
  const bytes = opened(file, opening);
  return { type: "file", file, sha256: sha256(bytes), sizeBytes: bytes.length, bytes };
}
