/** Python's regular expressions. */
import { pythonRegExp, pythonReplacement } from "../../../../base/python-regexp.ts";
import { asText, type Filter, flagOf, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { Fault, type Value } from "../value.ts";

export function regexOf(pattern: Value | undefined, flags: string): RegExp {
  const made = pythonRegExp(textOf(pattern, "", "a regular expression"), flags);
  if ("refused" in made) throw new Fault(made.refused);
  return made.regexp;
}
const flagsOf = (ignoreCase: Value | undefined, multiline: Value | undefined): string =>
  `${flagOf(ignoreCase, false) ? "i" : ""}${flagOf(multiline, false) ? "m" : ""}`;

const regexReplace: Filter = (input, call) => {
  const [pattern, replacement, ignoreCase, multiline, count, mandatory] = parameters(call, [
    "pattern",
    "replacement",
    "ignorecase",
    "multiline",
    "count",
    "mandatory_count",
  ]);
  const regex = regexOf(pattern, `g${flagsOf(ignoreCase, multiline)}`);
  const template = pythonReplacement(textOf(replacement, ""), regex);
  if ("refused" in template) throw new Fault(template.refused);
  const most = wholeOf(count, 0);
  let done = 0;
  const text = asText(input).replace(regex, (...found: unknown[]) => {
    if (most > 0 && done >= most) return String(found[0]);
    done++;
    return template.expand(matchOf(found));
  });
  if (done < wholeOf(mandatory, 0))
    throw new Fault(`regex_replace replaced ${done} times, and ${wholeOf(mandatory, 0)} are wanted`);
  return text;
};
/** What String.replace hands over, as a match. */
function matchOf(found: readonly unknown[]): RegExpMatchArray {
  const last = found.at(-1);
  const groups = typeof last === "object" && last !== null ? (last as Record<string, string>) : undefined;
  const texts = found
    .slice(0, groups === undefined ? -2 : -3)
    .map((part) => (part === undefined ? "" : String(part)));
  return Object.assign(texts as [string, ...string[]], groups === undefined ? {} : { groups });
}

const regexSearch: Filter = (input, call) => {
  const { groups, rest } = groupsOf(call);
  const [pattern, ignoreCase, multiline] = parameters(rest, ["regex", "ignorecase", "multiline"], 1);
  const match = regexOf(pattern, flagsOf(ignoreCase, multiline)).exec(asText(input));
  if (match === null) return null;
  if (groups.length === 0) return match[0];
  return groups.map((name) => {
    const key = name.replace(/^\\g<(.*)>$|^\\(\d+)$/, "$1$2");
    const found = /^\d+$/.test(key) ? match[Number(key)] : match.groups?.[key];
    return found ?? null;
  });
};
/** The arguments like "\\g<name>" and "\\1" after the pattern choose groups. */
function groupsOf(call: Invocation): { groups: string[]; rest: Invocation } {
  const isGroup = (value: Value): value is string =>
    typeof value === "string" && /^\\(?:g<\w+>|\d+)$/.test(value);
  const groups = call.args.slice(1).filter(isGroup);
  const args = call.args.filter((value, index) => index === 0 || !isGroup(value));
  return { groups, rest: { ...call, args } };
}

const regexFindall: Filter = (input, call) => {
  const [pattern, multiline, ignoreCase] = parameters(call, ["regex", "multiline", "ignorecase"], 1);
  const matches = asText(input).matchAll(regexOf(pattern, `g${flagsOf(ignoreCase, multiline)}`));
  return [...matches].map((match): Value => {
    const groups = match.slice(1).map((group) => group ?? "");
    return groups.length === 0 ? match[0] : groups.length === 1 ? (groups[0] ?? "") : groups;
  });
};

const special = /[\\^$.|?*+()[\]{}\-&~# \t\n\r\v\f]/g;
const regexEscape: Filter = (input, call) => {
  const [kind] = parameters(call, ["re_type"]);
  const text = asText(input);
  if (textOf(kind, "python") === "posix_basic") return text.replace(/[\][.^$*\\]/g, "\\$&");
  return text.replace(special, "\\$&");
};

export const regexFilters: Readonly<Record<string, Filter>> = {
  regex_replace: regexReplace,
  regex_search: regexSearch,
  regex_findall: regexFindall,
  regex_escape: regexEscape,
};
