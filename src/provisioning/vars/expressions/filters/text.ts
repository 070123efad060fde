/** Filters on text. */

import { shellQuote } from "../../../../base/shell-quote.ts";
import { limitText } from "../arithmetic.ts";
import { formatPercent } from "../format-percent.ts";
import { iterate } from "../members.ts";
import { callMethod, centered, replaceText, strip } from "../methods.ts";
import { asText, type Filter, flagOf, numberOf, parameters, textOf, wholeOf } from "../runtime.ts";
import { splitLines, splitText } from "../split-text.ts";
import { characters, str, textLength } from "../text.ts";
import { Dict, Fault, isList, isMapping, mappingEntries, tuple, type Value } from "../value.ts";
import { comment } from "./comment.ts";

const simple =
  (work: (text: string) => Value): Filter =>
  (input, call) => {
    parameters(call, []);
    return work(asText(input));
  };
const method =
  (name: string): Filter =>
  (input, call) =>
    callMethod(asText(input), { ...call, name });

const replace: Filter = (input, call) => {
  const [old, fresh, count] = parameters(call, ["old", "new", "count"], 2);
  return replaceText(asText(input), str(old ?? ""), str(fresh ?? ""), wholeOf(count, -1));
};

const split: Filter = (input, call) => {
  const [separator, most] = parameters(call, ["sep", "maxsplit"]);
  const mark = separator === undefined || separator === null ? undefined : textOf(separator, "");
  return splitText(textOf(input, "", "text for split"), {
    separator: mark,
    most: wholeOf(most, -1),
    fromRight: false,
  });
};

const trim: Filter = (input, call) => {
  const [chars] = parameters(call, ["chars"]);
  return strip(asText(input), chars === undefined || chars === null ? undefined : textOf(chars, ""), "both");
};

function padding(width: Value | undefined): number {
  const size = Math.max(0, wholeOf(width, 4));
  limitText(size);
  return size;
}
const indent: Filter = (input, call) => {
  const [width, first, blank] = parameters(call, ["width", "first", "blank"]);
  const pad = typeof width === "string" ? width : " ".repeat(padding(width));
  const [head = "", ...rest] = splitLines(`${asText(input)}\n`);
  const blanks = flagOf(blank, false);
  limitText(pad.length * (rest.length + 1));
  const lines = rest.map((line) => (line === "" && !blanks ? line : pad + line));
  const text = [flagOf(first, false) ? pad + head : head, ...lines].join("\n");
  limitText(text.length);
  return text;
};

const wordwrap: Filter = (input, call) => {
  const [width, breaks, mark, hyphens] = parameters(call, [
    "width",
    "break_long_words",
    "wrapstring",
    "break_on_hyphens",
  ]);
  const size = Math.max(1, wholeOf(width, 79));
  const options = { size, breaks: flagOf(breaks, true), hyphens: flagOf(hyphens, true) };
  const joiner = textOf(mark, "\n");
  return splitLines(asText(input))
    .map((line) => wrapLine(line, options).join(joiner))
    .join(joiner);
};
interface WrapOptions {
  readonly size: number;
  readonly breaks: boolean;
  readonly hyphens: boolean;
}
/** Words and the blanks between them, in the pieces at which a line may end. */
function wrapLine(line: string, options: WrapOptions): string[] {
  const pieces =
    line.match(
      options.hyphens ? /\s+|[^\s-]*[^\s\W]-+(?=[^\s\d\W])|\S+?(?<=[^\W\d]-)(?=[^\W\d])|\S+/g : /\s+|\S+/g,
    ) ?? [];
  const queue = [...pieces].reverse();
  const lines: string[] = [];
  let current = "";
  const flush = (): void => {
    if (current.trim() !== "") lines.push(current.trimEnd());
    current = "";
  };
  while (queue.length > 0) {
    const piece = queue.pop() ?? "";
    if (current === "" && lines.length > 0 && piece.trim() === "") continue;
    if (current.length + piece.length <= options.size) current += piece;
    else if (piece.length > options.size && options.breaks) {
      const room = options.size - current.length;
      current += piece.slice(0, room);
      queue.push(piece.slice(room));
      flush();
    } else if (piece.trim() === "") flush();
    else if (current === "") {
      current = piece;
      flush();
    } else {
      flush();
      queue.push(piece);
    }
  }
  if (current.trim() !== "") flush();
  return lines;
}

const center: Filter = (input, call) => {
  const [width] = parameters(call, ["width"]);
  const text = asText(input);
  const size = wholeOf(width, 80);
  limitText(size);
  return centered(text, Math.max(0, size - textLength(text)), " ", size);
};

const truncate: Filter = (input, call) => {
  const [length, killwords, end, leeway] = parameters(call, ["length", "killwords", "end", "leeway"]);
  const text = asText(input);
  const size = wholeOf(length, 255);
  const tail = textOf(end, "...");
  if (textLength(text) <= size + wholeOf(leeway, 5)) return text;
  const head = characters(text)
    .slice(0, size - textLength(tail))
    .join("");
  if (flagOf(killwords, false)) return head + tail;
  const blank = head.lastIndexOf(" ");
  return (blank < 0 ? head : head.slice(0, blank)) + tail;
};

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;",
};
const escapeMarkup = simple((text) => {
  let escaped = text;
  for (const [char, entity] of Object.entries(escapes)) escaped = escaped.replaceAll(char, entity);
  limitText(escaped.length);
  return escaped;
});

/** Comments end at "-->", tags at ">"; what never ends is text. */
function withoutTags(text: string): string {
  const kept: string[] = [];
  let from = 0;
  let comments = true;
  for (let open = text.indexOf("<"); open >= 0; open = text.indexOf("<", from)) {
    const commentEnd = comments && text.startsWith("<!--", open) ? text.indexOf("-->", open + 4) : -1;
    if (text.startsWith("<!--", open) && commentEnd < 0) comments = false;
    const end = commentEnd < 0 ? text.indexOf(">", open) + 1 : commentEnd + 3;
    if (end === 0) break;
    kept.push(text.slice(from, open));
    from = end;
  }
  return kept.join("") + text.slice(from);
}

/** Percent signs, or several values: `"%s-%s" | format(a, b)`. */
const format: Filter = (input, call) => {
  const given = call.kwargs.size > 0 ? Dict.of(call.kwargs) : tuple(...call.args);
  return formatPercent(asText(input), given);
};

/** As shlex.quote writes it, so that files which hold such words stay as they are. */
const pythonQuote = (text: string): string => shellQuote(text).replaceAll("'\\''", `'"'"'`);
const quote: Filter = (input, call) => {
  parameters(call, []);
  if (isList(input)) return input.map((item) => pythonQuote(str(item))).join(" ");
  return input === null ? "''" : pythonQuote(asText(input));
};

/** Text as a part of an address; in pairs a blank is a plus. */
function urlencode(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => {
    const bytes = [...new TextEncoder().encode(char)];
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  });
}
const urlencodeFilter: Filter = (input) => {
  const pairs = isMapping(input) ? mappingEntries(input) : isList(input) ? input.map(iterate) : undefined;
  if (pairs === undefined) return urlencode(asText(input), /[^\w.~/-]/gu);
  const part = (value: Value | undefined): string =>
    urlencode(str(value ?? ""), /[^\w.~-]/gu).replaceAll("%20", "+");
  return pairs.map(([key, value]) => `${part(key)}=${part(value)}`).join("&");
};

/** Bytes that are no UTF-8 become the sign for what cannot be read, as in Python. */
const urldecode = (text: string): string =>
  text
    .replaceAll("+", " ")
    .replace(/(?:%[\da-fA-F]{2})+/g, (bytes) =>
      Buffer.from(bytes.replaceAll("%", ""), "hex").toString("utf8"),
    );

const filesizeformat: Filter = (input, call) => {
  const [binary] = parameters(call, ["binary"]);
  if (input === null) throw new Fault("filesizeformat wants a number of bytes, and none was given");
  const bytes = numberOf(input, 0);
  const base = flagOf(binary, false) ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const units = flagOf(binary, false)
    ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
  let power = 1;
  while (power < units.length && bytes >= base ** (power + 1)) power++;
  return `${(bytes / base ** power).toFixed(1)} ${units[power - 1]}`;
};

export const textFilters: Readonly<Record<string, Filter>> = {
  lower: simple((text) => text.toLowerCase()),
  upper: simple((text) => text.toUpperCase()),
  capitalize: method("capitalize"),
  title: simple((text) =>
    text
      .split(/([-\s({[<]+)/)
      .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase())
      .join(""),
  ),
  trim,
  replace,
  split,
  splitlines: method("splitlines"),
  indent,
  wordwrap,
  wordcount: simple((text) => text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
  center,
  truncate,
  escape: escapeMarkup,
  e: escapeMarkup,
  forceescape: escapeMarkup,
  striptags: simple((text) => withoutTags(text).trim().replace(/\s+/g, " ")),
  format,
  quote,
  comment,
  urlencode: urlencodeFilter,
  urldecode: simple(urldecode),
  filesizeformat,
  xmlattr: (input) => {
    if (!isMapping(input)) throw new Fault("xmlattr wants a mapping");
    const parts = mappingEntries(input)
      .filter(([, value]) => value !== null)
      .map(
        ([key, value]) => `${str(key)}="${str(value).replace(/[&<>'"]/g, (char) => escapes[char] ?? char)}"`,
      );
    return parts.length > 0 ? ` ${parts.join(" ")}` : "";
  },
  pprint: (input) => str(input),
};
