/** Files of variables that are read while plays run: include_vars, and vars_files of a play. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, isAbsolute, join, resolve } from "node:path";
import { ProvisionError, type Span } from "../../base/errors.ts";
import { fileFix } from "../../base/file-fix.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import { statPath } from "../../base/stat-path.ts";
import type { Effect } from "../modules/module.ts";
import type { Play } from "../playbook/model.ts";
import { isVaultText } from "../source/decrypt.ts";
import type { SourceNode } from "../source/node.ts";
import { parseYaml } from "../source/parse-yaml.ts";
import { layerOf } from "../vars/precedence.ts";
import type { Variable } from "../vars/variable.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import type { HostTask } from "./run-on-host.ts";
import type { RunState } from "./run-state.ts";
import type { TaskOutcome } from "./task-outcome.ts";
import { dataVariable } from "./view.ts";

type LoadVars = Extract<Effect, { effect: "load-vars" }>;

/** include_vars: templates in the files are rendered when they are used. */
export function loadVarsFiles(
  work: HostTask,
  targets: readonly RunHost[],
  effect: LoadVars,
  outcome: TaskOutcome,
): TaskOutcome {
  const { play, task, host, place } = work;
  const search = play.filesOf(task, place.frame);
  const files = filesOf(effect, search.folders, task.span);
  const layers = files.map((file) => readVars(play.run, file, "include_vars"));
  const view = play.view(host, place.frame, task);
  const shown: Record<string, JsonValue> = {};
  for (const layer of layers)
    for (const [name, variable] of layer) shown[name] = plain(variable, (node) => view.value(node));
  for (const target of targets) include(target, effect, layers, shown);
  const included = effect.name === undefined ? shown : { [effect.name]: shown };
  return {
    ...outcome,
    result: { ...outcome.result, ansible_facts: included, ansible_included_var_files: files },
  };
}

function include(
  target: RunHost,
  effect: LoadVars,
  layers: readonly ReadonlyMap<string, Variable>[],
  shown: JsonObject,
): void {
  const { name } = effect;
  if (name === undefined && !effect.merge) {
    for (const layer of layers) for (const [key, variable] of layer) target.includeVars.set(key, variable);
    return;
  }
  const values = name === undefined ? shown : { [name]: shown };
  for (const [key, value] of Object.entries(values)) {
    const old = target.includeVars.get(key);
    const before = effect.merge && old?.kind === "data" ? old.value : undefined;
    const merged = isJsonObject(before) && isJsonObject(value) ? { ...before, ...value } : value;
    target.includeVars.set(key, dataVariable(merged, "include_vars"));
  }
}

const plain = (variable: Variable, render: (node: SourceNode) => JsonValue): JsonValue => {
  if (variable.kind === "data") return variable.value;
  try {
    return render(variable.node);
  } catch (error) {
    // It is rendered when it is used; what it lacks now is no error of this task.
    if (error instanceof ProvisionError) return null;
    throw error;
  }
};

function filesOf({ from }: LoadVars, folders: readonly string[], span: Span): readonly string[] {
  if ("file" in from) return [findVars(from.file, folders, span)];
  const root = findVars(from.dir, folders, span);
  const pattern = from.filesMatching === undefined ? undefined : new RegExp(from.filesMatching);
  const visit = (dir: string, depth: number): string[] =>
    readdirSync(dir, { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) return from.depth === 0 || depth < from.depth ? visit(path, depth + 1) : [];
        if (from.ignoreFiles.some((ignored) => new RegExp(ignored).test(entry.name))) return [];
        if (pattern !== undefined && !pattern.test(entry.name)) return [];
        if (from.extensions.includes(extname(entry.name).slice(1))) return [path];
        if (from.ignoreUnknownExtensions) return [];
        throw new ProvisionError({
          code: "bad-argument",
          action: `read variables from "${path}"`,
          state: `its ending is "${extname(entry.name)}"`,
          span,
          why: `files of variables end in ${from.extensions.join(", ")}`,
        });
      });
  return visit(root, 1);
}

function findVars(path: string, folders: readonly string[], span: Span): string {
  const places = isAbsolute(path)
    ? [path]
    : folders.flatMap((folder) => [join(folder, "vars", path), resolve(folder, path)]);
  const found = places.find((place) => statPath(place) !== undefined);
  if (found !== undefined) return found;
  throw new ProvisionError({
    code: "missing-file",
    action: `read variables from "${path}"`,
    state: "there is no such file",
    span,
    why: `looked for ${[...new Set(places)].join(", ")}`,
    fix: fileFix(path, places),
  });
}

function readVars(run: RunState, file: string, layer: string): ReadonlyMap<string, Variable> {
  const text = readFileSync(file, "utf8");
  const { openVault } = run.request;
  const plainText =
    isVaultText(text) && openVault !== undefined ? openVault(text, { file, line: 1, column: 1 }) : text;
  const node = parseYaml(plainText, file);
  if (node.kind === "scalar" && node.value === null) return new Map();
  if (node.kind === "map") return layerOf(node, `${layer} ${basename(file)}`);
  throw new ProvisionError({
    code: "bad-yaml",
    action: `read variables from "${file}"`,
    state: `it holds a ${node.kind}`,
    span: node.span,
    why: "a file of variables is a mapping of names to values",
  });
}

/** vars_files: of a list in the list the first that exists; a name may be a template. */
export function readPlayVarsFiles(state: PlayState, host: RunHost): void {
  const { varsFiles } = state.play;
  if (varsFiles.length === 0) return;
  const merged = new Map<string, Variable>();
  for (const node of varsFiles) {
    const view = state.hostView(host);
    const names = (node.kind === "list" ? node.items : [node]).map((each) => view.text(each));
    for (const [name, variable] of readVarsFile(state.run, state.play, names, node.span))
      merged.set(name, variable);
    state.setVarsFiles(host, new Map(merged));
  }
}

/** The first of these files that exists. */
export function readVarsFile(
  run: RunState,
  { baseDir }: Play,
  names: readonly string[],
  span: Span,
): ReadonlyMap<string, Variable> {
  const found = names.length === 1 ? names[0] : names.find((name) => exists(name, baseDir));
  return readVars(run, findVars(found ?? names[0] ?? "", [baseDir], span), "vars_files");
}

const exists = (name: string, baseDir: string): boolean =>
  [join(baseDir, "vars", name), resolve(baseDir, name)].some((path) => statPath(path) !== undefined);
