/** Regular expressions as Ansible's users write them: Python's. */
export type PythonRegExp = { readonly regexp: RegExp } | { readonly refused: string };

/** `flags` are JavaScript's, added to those that stand in the pattern itself, (?i). */
export function pythonRegExp(pattern: string, flags = ""): PythonRegExp {
  const inline = /^\(\?([aiLmsux]+)\)/.exec(pattern);
  const own = inline?.[1] ?? "";
  const all = new Set([...flags, ...[...own].filter((letter) => "ims".includes(letter))]);
  const body = pattern.slice(inline?.[0].length ?? 0);
  const source = (own.includes("x") ? withoutComments(body) : body).replace(
    /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?P<|\(\?P=(\w+)\)|\$/g,
    (part, name: string | undefined) => translated(part, name, all.has("m")),
  );
  try {
    return { regexp: new RegExp(source, [...all].join("")) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, "") : "";
    return { refused: `"${pattern}" is not a regular expression: ${reason}` };
  }
}

/** (?x): blanks and comments outside of classes mean nothing. */
const withoutComments = (body: string): string =>
  body.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\s+|#[^\n]*/g, (part) =>
    part.startsWith("\\") || part.startsWith("[") ? part : "",
  );

function translated(part: string, name: string | undefined, multiline: boolean): string {
  if (part === "(?P<") return "(?<";
  if (name !== undefined) return `\\k<${name}>`;
  if (part === "\\A") return "(?<![\\s\\S])";
  if (part === "\\Z") return "(?![\\s\\S])";
  // Python's $ also stands before a last newline.
  if (part === "$" && !multiline) return "(?=\\n?(?![\\s\\S]))";
  return part;
}

/** A replacement with \1, \g<1> and \g<name>, as re.sub reads it. */
export function expandReplacement(template: string, match: RegExpMatchArray): string {
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\" };
  return template.replace(
    /\\(?:g<(\w+)>|(\d{1,2})|([\s\S]))/g,
    (whole, named: string | undefined, number: string | undefined, other: string | undefined) => {
      if (other !== undefined) return escapes[other] ?? whole;
      const key = named ?? number ?? "";
      return (/^\d+$/.test(key) ? match[Number(key)] : match.groups?.[key]) ?? "";
    },
  );
}
