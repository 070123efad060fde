/**
 * Path patterns: `/v2/info`, `/v2/apps/:id` (one segment), `/v2/apps/*id/tasks/:task` (`*id` takes one or more
 * segments, slashes included). Doubled and trailing slashes of a request do not count.
 */
export type Params = Readonly<Record<string, string>>;

export interface RoutePattern {
  readonly source: string;
  match(segments: readonly string[]): Params | undefined;
}

/** The decoded segments of a path, or undefined if its percent-encoding is broken. */
export function splitPath(path: string): readonly string[] | undefined {
  try {
    return path
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

export function compilePattern(source: string): RoutePattern {
  const parts = source.split("/").filter((part) => part !== "");
  if (parts.filter((part) => part.startsWith("*")).length > 1) {
    throw new TypeError(`Pattern "${source}" has more than one wildcard`);
  }
  return { source, match: (segments) => matchParts(parts, segments) };
}

function matchParts(parts: readonly string[], segments: readonly string[]): Params | undefined {
  const wild = parts.findIndex((part) => part.startsWith("*"));
  if (wild < 0) return segments.length === parts.length ? matchEach(parts, segments) : undefined;
  const taken = segments.length - parts.length + 1;
  if (taken < 1) return undefined;
  const before = matchEach(parts.slice(0, wild), segments.slice(0, wild));
  const after = matchEach(parts.slice(wild + 1), segments.slice(wild + taken));
  if (before === undefined || after === undefined) return undefined;
  const name = parts[wild]?.slice(1) || "rest";
  return { ...before, [name]: segments.slice(wild, wild + taken).join("/"), ...after };
}

function matchEach(parts: readonly string[], segments: readonly string[]): Params | undefined {
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (part.startsWith(":")) params[part.slice(1)] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}
