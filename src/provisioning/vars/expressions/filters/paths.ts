/** Paths and addresses as text, and the few that look at the controller's own disk. */
import { readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { posix } from "node:path";
import { expandGlob } from "../expand-glob.ts";
import { asText, type Filter, parameters, textOf } from "../runtime.ts";
import { str } from "../text.ts";
import { Dict, Fault, isList, tuple, type Value } from "../value.ts";

const simple =
  (work: (text: string) => Value): Filter =>
  (input, call) => {
    parameters(call, []);
    return work(asText(input));
  };

/** os.path.basename: nothing after a last slash. */
const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const dirname = (path: string): string => {
  const head = path.slice(0, path.lastIndexOf("/") + 1);
  return /^\/*$/.test(head) ? head : head.replace(/\/+$/, "");
};
function splitext(path: string): Value {
  const name = basename(path);
  const dot = name.replace(/^\.+/, (dots) => "x".repeat(dots.length)).lastIndexOf(".");
  const at = path.length - name.length + dot;
  return dot <= 0 ? tuple(path, "") : tuple(path.slice(0, at), path.slice(at));
}
/** `~` is one's own home, `~name` another's; of an unknown name it stays. */
export const expandUser = (path: string): string =>
  path.replace(/^~([^/]*)/, (whole, name: string) => (name === "" ? homedir() : (homeOf(name) ?? whole)));
function homeOf(user: string): string | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${user}:`));
  return line?.split(":")[5];
}

const urlsplit: Filter = (input, call) => {
  const [query] = parameters(call, ["query"]);
  const [, scheme = "", , netloc = "", path = "", , search = "", , fragment = ""] =
    /^(?:([a-zA-Z][\w+.-]*):)?(\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?$/s.exec(asText(input)) ?? [];
  const [, , username = null, , password = null, host = ""] =
    /^(([^:@]*)(:([^@]*))?@)?(.*)$/s.exec(netloc) ?? [];
  const [, hostname = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  const parts = Dict.of([
    ["fragment", fragment],
    ["hostname", hostname === "" ? null : hostname.replace(/^\[|\]$/g, "").toLowerCase()],
    ["netloc", netloc],
    ["password", password],
    ["path", path],
    ["port", port === undefined ? null : Number(port)],
    ["query", search],
    ["scheme", scheme.toLowerCase()],
    ["username", username],
  ]);
  if (query === undefined || query === "") return parts;
  const found = parts.get(query);
  if (found === undefined) throw new Fault(`urlsplit knows no part ${str(query)}`);
  return found;
};

export const pathFilters: Readonly<Record<string, Filter>> = {
  basename: simple(basename),
  dirname: simple(dirname),
  splitext: simple(splitext),
  expanduser: simple(expandUser),
  expandvars: (input, call) => {
    call.runtime.markImpure();
    const env = call.runtime.context.env ?? process.env;
    return asText(input).replace(
      /\$(?:(\w+)|\{(\w+)\})/g,
      (whole, a?: string, b?: string) => env[a ?? b ?? ""] ?? whole,
    );
  },
  normpath: simple((path) => posix.normalize(path).replace(/(?<=.)\/$/, "")),
  commonpath: (input) => {
    const paths = isList(input) ? input.map((path) => str(path).split("/")) : [];
    const [first = []] = paths;
    const shared = first.findIndex((part, index) => paths.some((path) => path[index] !== part));
    return (shared < 0 ? first : first.slice(0, shared)).join("/") || "/";
  },
  path_join: (input) => posix.join(...(isList(input) ? joinParts(input.map(str)) : [asText(input)])),
  realpath: (input, call) => {
    call.runtime.markImpure();
    const path = posix.resolve(asText(input));
    try {
      return realpathSync(path);
    } catch {
      // Of what is not there the path itself is its real path, as in Python.
      return path;
    }
  },
  relpath: (input, call) => {
    const [start] = parameters(call, ["start"]);
    return posix.relative(textOf(start, "."), asText(input)) || ".";
  },
  fileglob: (input, call) => {
    call.runtime.markImpure();
    return expandGlob(asText(input));
  },
  urlsplit,
  win_dirname: simple((path) => {
    const [drive, rest] = splitDrive(path);
    const head = rest.slice(0, Math.max(rest.lastIndexOf("\\"), rest.lastIndexOf("/")) + 1);
    return drive + (/^[\\/]*$/.test(head) ? head : head.replace(/[\\/]+$/, ""));
  }),
  win_splitdrive: simple((path) => tuple(...splitDrive(path))),
  win_basename: simple((path) => path.slice(Math.max(path.lastIndexOf("\\"), path.lastIndexOf("/")) + 1)),
};
function splitDrive(path: string): [string, string] {
  const drive = /^(?:[^\\/]:|[\\/]{2}[^\\/]+[\\/][^\\/]+)/.exec(path)?.[0] ?? "";
  return [drive, path.slice(drive.length)];
}
/** os.path.join: an absolute part starts anew. */
function joinParts(parts: readonly string[]): string[] {
  const from = parts.findLastIndex((part) => part.startsWith("/"));
  return parts.slice(Math.max(0, from));
}
