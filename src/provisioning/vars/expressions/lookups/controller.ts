/** Lookups that read the controller: environment, files, commands. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { statPath } from "../../../../base/stat-path.ts";
import { limitText } from "../arithmetic.ts";
import { expandGlob } from "../expand-glob.ts";
import { expandUser } from "../filters/paths.ts";
import { expressionLimits } from "../limits.ts";
import type { Lookup, LookupCall } from "../lookups.ts";
import { PythonRandom } from "../python-random.ts";
import { flagOf, textOf, wholeOf } from "../runtime.ts";
import { shaCrypt } from "../sha-crypt.ts";
import { splitLines } from "../split-text.ts";
import { str } from "../text.ts";
import { Fault, isInt, isList, isMapping, mappingEntries, mappingGet, type Value } from "../value.ts";
import { readCsv, readIni } from "./tables.ts";
import { url } from "./url.ts";

/** Where a file of the controller is looked for: `files/` or `templates/` of each folder, then the folder itself. */
export function findFile(
  name: string,
  kind: "files" | "templates" | "vars",
  searchPath: readonly string[],
): string | undefined {
  const path = expandUser(name);
  const candidates = isAbsolute(path)
    ? [path]
    : searchPath.flatMap((folder) => [join(folder, kind, path), join(folder, path)]);
  return candidates.find((candidate) => statPath(candidate) !== undefined);
}

function wanted(call: LookupCall, term: Value, kind: "files" | "templates"): string {
  const name = str(term);
  const found = findFile(name, kind, call.renderer.context.searchPath);
  if (found === undefined)
    throw new Fault(
      `there is no file "${name}" in ${call.renderer.context.searchPath.join(", ") || "any folder"}: write its path as seen from there, or the whole one`,
    );
  return found;
}

function readText(file: string, call: LookupCall): string {
  const stats = statSync(file);
  if (!stats.isFile()) throw new Fault(`"${file}" is no file`);
  if (stats.size > expressionLimits.lookupBytes)
    throw new Fault(`"${file}" has more than ${expressionLimits.lookupBytes} bytes`);
  const text = readFileSync(file, "utf8");
  if (!text.startsWith("$ANSIBLE_VAULT;")) return text;
  return call.renderer.openVault(text, { file, line: 1, column: 1 });
}

const file: Lookup = (call) =>
  call.terms.map((term) => {
    let text = readText(wanted(call, term, "files"), call);
    if (flagOf(call.options.get("rstrip"), true)) text = text.trimEnd();
    return flagOf(call.options.get("lstrip"), false) ? text.trimStart() : text;
  });

const template: Lookup = (call) =>
  call.terms.map((term) => {
    const path = wanted(call, term, "templates");
    const given = call.options.get("template_vars");
    const variables = new Map(
      given !== undefined && isMapping(given)
        ? mappingEntries(given).map(([key, value]) => [str(key), value] as const)
        : [],
    );
    return call.renderer.renderFile(path, readText(path, call), { variables });
  });

function command(text: string, call: LookupCall): string {
  if (call.renderer.context.allowCommands === false)
    throw new Fault(`the command "${text}" may not run here`);
  try {
    const output = execFileSync("/bin/sh", ["-c", text], {
      cwd: call.renderer.context.searchPath[0],
      encoding: "utf8",
      timeout: expressionLimits.pipeTimeoutMs,
      maxBuffer: expressionLimits.lookupBytes,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return output.trimEnd();
  } catch (error) {
    const { status, stderr } = error as { readonly status?: number | null; readonly stderr?: string };
    const said = stderr?.trim().split("\n").at(-1) ?? "";
    throw new Fault(
      `the command "${text}" ended with ${status ?? "no exit code"}${said === "" ? "" : `: ${said}`}`,
    );
  }
}

const env: Lookup = (call) =>
  call.terms.map((term) => {
    const values = call.renderer.context.env ?? process.env;
    return values[str(term)] ?? call.options.get("default") ?? "";
  });

/** The first file that is there. */
const firstFound: Lookup = (call) => {
  const { searchPath } = call.renderer.context;
  const candidates: string[] = [];
  let skips = flagOf(call.options.get("skip"), false);
  const add = (files: readonly Value[], paths: readonly Value[]): void => {
    for (const name of files)
      if (paths.length === 0) candidates.push(str(name));
      else for (const path of paths) candidates.push(join(str(path), str(name)));
  };
  const list = (value: Value | undefined): Value[] =>
    value === undefined ? [] : isList(value) ? [...value] : str(value).split(/[,;:]/);
  for (const term of call.terms.flatMap((one) => (isList(one) ? [...one] : [one]))) {
    if (!isMapping(term)) {
      add([term], list(call.options.get("paths")));
      continue;
    }
    skips ||= flagOf(mappingGet(term, "skip"), false);
    add(list(mappingGet(term, "files")), list(mappingGet(term, "paths")));
  }
  add(list(call.options.get("files")), list(call.options.get("paths")));
  for (const name of candidates) {
    const found = (["files", "templates", "vars"] as const)
      .map((kind) => findFile(name, kind, searchPath))
      .find((path) => path !== undefined);
    if (found !== undefined) return [resolve(found)];
  }
  if (skips || call.options.get("errors") === "ignore") return [];
  throw new Fault(`none of these files is there: ${candidates.join(", ")}`);
};

const passwordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-_";
const characterClasses: Readonly<Record<string, string>> = {
  ascii_letters: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
  ascii_lowercase: "abcdefghijklmnopqrstuvwxyz",
  ascii_uppercase: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  digits: "0123456789",
  hexdigits: "0123456789abcdefABCDEF",
  punctuation: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
};

/** A password that is made once and kept in a file of the controller; /dev/null keeps none. */
const password: Lookup = (call) =>
  call.terms.map((term) => {
    const [path = "", ...settings] = str(term).split(/\s+(?=\w+=)/);
    const given = new Map(call.options);
    for (const setting of settings)
      given.set(setting.slice(0, setting.indexOf("=")), setting.slice(setting.indexOf("=") + 1));
    const chars = passwordAlphabet(given.get("chars"));
    const target = isAbsolute(expandUser(path))
      ? expandUser(path)
      : resolve(call.renderer.context.searchPath.at(-1) ?? ".", path);
    const kept = path === "/dev/null" ? undefined : keptPassword(target);
    const length = wholeOf(given.get("length"), 20);
    limitText(length);
    const plain =
      kept?.password ??
      seededPassword(given.get("seed"), length, chars) ??
      randomPassword(length, chars, call);
    const encrypt = given.get("encrypt");
    const salt =
      encrypt === undefined
        ? undefined
        : (kept?.salt ?? randomPassword(16, passwordCharacters.slice(0, 62), call));
    if (path !== "/dev/null" && (kept === undefined || (salt !== undefined && kept.salt === undefined)))
      keepPassword(target, plain, salt, call);
    return salt === undefined ? plain : encrypted(textOf(encrypt, ""), plain, salt);
  });

function passwordAlphabet(given: Value | undefined): string {
  if (given === undefined) return passwordCharacters;
  const parts = isList(given)
    ? given.map(str)
    : str(given)
        .replace(",,", ",\0")
        .split(",")
        .map((part) => part.replace("\0", ","));
  return parts
    .map((part) => characterClasses[part] ?? part)
    .join("")
    .replace(/["']/g, "");
}
function keptPassword(
  file: string,
): { readonly password: string; readonly salt: string | undefined } | undefined {
  if (statPath(file) === undefined) return undefined;
  const content = readFileSync(file, "utf8").trimEnd();
  const at = content.lastIndexOf(" salt=");
  return at < 0
    ? { password: content, salt: undefined }
    : { password: content.slice(0, at), salt: content.slice(at + 6) };
}
function keepPassword(file: string, plain: string, salt: string | undefined, call: LookupCall): void {
  if (call.renderer.context.allowCommands === false) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${plain}${salt === undefined ? "" : ` salt=${salt}`}\n`, { mode: 0o600 });
}
const randomPassword = (length: number, chars: string, call: LookupCall): string =>
  Array.from({ length }, () => chars[Math.floor(call.renderer.secureRandom() * chars.length)] ?? "").join("");

function seededPassword(seed: Value | undefined, length: number, chars: string): string | undefined {
  if (seed === undefined || seed === null) return undefined;
  const source = new PythonRandom(isInt(seed) ? seed : str(seed));
  return Array.from({ length }, () => chars[source.below(chars.length)] ?? "").join("");
}

function encrypted(scheme: string, plain: string, salt: string): string {
  const algorithm = scheme.replace(/_crypt$/, "");
  if (algorithm !== "sha512" && algorithm !== "sha256")
    throw new Fault(`the lookup password knows sha512 and sha256, not "${scheme}"`);
  return shaCrypt({ algorithm, password: plain, salt, rounds: algorithm === "sha512" ? 656_000 : 535_000 });
}

export const controllerLookups: Readonly<Record<string, Lookup>> = {
  env,
  file,
  unvault: file,
  template,
  pipe: (call) => call.terms.map((term) => command(str(term), call)),
  lines: (call) => call.terms.flatMap((term) => splitLines(command(str(term), call))),
  fileglob: (call) =>
    call.terms.flatMap((term) => {
      const pattern = expandUser(str(term));
      if (isAbsolute(pattern)) return expandGlob(pattern);
      const folders = call.renderer.context.searchPath.flatMap((folder) => [join(folder, "files"), folder]);
      return (
        folders.map((folder) => expandGlob(join(folder, pattern))).find((found) => found.length > 0) ?? []
      );
    }),
  first_found: firstFound,
  password,
  ini: (call) =>
    call.terms.flatMap((term) => readIni(term, call, (name) => readText(wanted(call, name, "files"), call))),
  csvfile: (call) =>
    call.terms.map((term) => readCsv(term, call, (name) => readText(wanted(call, name, "files"), call))),
  url,
};
