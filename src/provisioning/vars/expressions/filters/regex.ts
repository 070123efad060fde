/** Python's regular expressions. */
import { boundedRegexps } from "../../../../base/bounded-regexp.ts";
import { pythonRegExp, pythonReplacement } from "../../../../base/python-regexp.ts";
import { limitText } from "../arithmetic.ts";
import { spend } from "../effort.ts";
import { asText, type Filter, flagOf, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { Fault, type Value } from "../value.ts";

export function regexOf(pattern: Value | undefined, flags: string): RegExp {
  const made = pythonRegExp(textOf(pattern, "", "a regular expression"), flags);
  if ("refused" in made) throw new Fault(made.refused);
  return made.regexp;
}
/** So that a thousand slow ones do not take a thousand times as long. */
const stepsInMs = 500;
export function bounded<T>(regex: RegExp, text: string, work: () => T): T {
  const done = boundedRegexps([regex.source], text.length, work);
  if ("refused" in done) throw new Fault(done.refused);
  if (done.cpuMs > 0) spend(done.cpuMs * stepsInMs);
  return done.made;
}
export const exec = (regex: RegExp, text: string): RegExpExecArray | null =>
  bounded(regex, text, () => regex.exec(text));
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
  const subject = asText(input);
  let done = 0;
  const text = bounded(regex, subject, () => {
    done = 0;
    let chars = subject.length;
    return subject.replace(regex, (...found: unknown[]) => {
      if (most > 0 && done >= most) return String(found[0]);
      done++;
      const fresh = template.expand(matchOf(found));
      chars += fresh.length;
      limitText(chars);
      return fresh;
    });
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
  if (call.args.slice(1).some((value) => typeof value === "string" && value.startsWith("\\\\")))
    throw new Fault("a group is named with one backslash here, '\\1', as YAML has read the string already");
  const match = exec(regexOf(pattern, flagsOf(ignoreCase, multiline)), asText(input));
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
  const text = asText(input);
  const regex = regexOf(pattern, `g${flagsOf(ignoreCase, multiline)}`);
  const matches = bounded(regex, text, () => [...text.matchAll(regex)]);
  return matches.map((match): Value => {
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
