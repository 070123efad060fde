/** A line as Python's shlex.split(comments=True) cuts it, with the place of every word. */
export interface ShellWord {
  readonly text: string;
  /** Offsets in the line. */
  readonly start: number;
  readonly end: number;
}
export type ShellSplit =
  | { readonly words: readonly ShellWord[] }
  | { readonly problem: "open-quote" | "trailing-backslash" | "hash-in-word"; readonly at: number };

/** A "#" between words begins a comment. Inside a word it is a problem: shlex would drop the rest of the line. */
export function splitShellWords(line: string): ShellSplit {
  const words: ShellWord[] = [];
  let at = 0;
  while (at < line.length) {
    const char = line[at] as string;
    if (/\s/.test(char)) at++;
    else if (char === "#") break;
    else {
      const word = readWord(line, at);
      if ("problem" in word) return word;
      words.push(word);
      at = word.end;
    }
  }
  return { words };
}

type WordOrProblem = ShellWord | Extract<ShellSplit, { readonly problem: string }>;

/** What stands for itself: most words are nothing else. */
const plainRun = /[^\s#\\'"]*/y;

function readWord(line: string, start: number): WordOrProblem {
  plainRun.lastIndex = start;
  let text = plainRun.exec(line)?.[0] ?? "";
  let at = start + text.length;
  while (at < line.length) {
    const char = line[at] as string;
    if (/\s/.test(char)) break;
    if (char === "#") return { problem: "hash-in-word", at };
    if (char === "\\") {
      if (at + 1 >= line.length) return { problem: "trailing-backslash", at };
      text += line[at + 1];
      at += 2;
    } else if (char === "'" || char === '"') {
      const quoted = readQuoted(line, at, char);
      if (quoted === undefined) return { problem: "open-quote", at };
      text += quoted.text;
      at = quoted.end;
    } else {
      text += char;
      at++;
    }
  }
  return { text, start, end: at };
}

function readQuoted(line: string, start: number, quote: string): { text: string; end: number } | undefined {
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const char = line[at] as string;
    if (char === quote) return { text, end: at + 1 };
    const next = line[at + 1];
    if (quote === '"' && char === "\\" && (next === '"' || next === "\\")) {
      text += next;
      at++;
    } else text += char;
  }
  return undefined;
}
