/** Two texts → unified diff with three lines of context. */

const context = 3;
/** Above this many lines on both sides the middle is shown as replaced as a whole: the search is quadratic. */
const searchLimitLines = 4_000;

/** Stands below the last line of a text that does not end its last line. */
const noNewline = "\\ No newline at the end";

type Edit = { readonly kind: " " | "-" | "+"; readonly line: string };

export function unifiedDiff(path: string, before: string, after: string): string[] {
  if (before === after) return [];
  if (isBinary(before) || isBinary(after)) return [`--- ${path}`, `+++ ${path}`, "  (binary)"];
  const edits = diffLines(splitLines(before), splitLines(after));
  return [
    `--- ${before === "" ? "(absent or empty)" : path}`,
    `+++ ${after === "" ? "(absent or empty)" : path}`,
    ...hunksOf(edits),
  ];
}

const isBinary = (text: string): boolean => text.includes("\0");

function splitLines(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines.push(noNewline);
  return lines;
}

function diffLines(before: readonly string[], after: readonly string[]): Edit[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  const room = Math.min(before.length, after.length) - head;
  while (tail < room && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const same = (line: string): Edit => ({ kind: " ", line });
  const oldMiddle = before.slice(head, before.length - tail);
  const newMiddle = after.slice(head, after.length - tail);
  return [
    ...before.slice(0, head).map(same),
    ...diffMiddle(oldMiddle, newMiddle),
    ...before.slice(before.length - tail).map(same),
  ];
}

function diffMiddle(before: readonly string[], after: readonly string[]): Edit[] {
  const removed = before.map((line): Edit => ({ kind: "-", line }));
  const added = after.map((line): Edit => ({ kind: "+", line }));
  if (before.length * after.length > searchLimitLines ** 2 / 4) return [...removed, ...added];
  const width = after.length + 1;
  /** lengths[i * width + j]: the longest common part of before[i…] and after[j…]. */
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] =
        before[i] === after[j]
          ? (lengths[at + width + 1] ?? 0) + 1
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  return walk({ before, after, lengths, width });
}

interface Table {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly lengths: Uint32Array;
  readonly width: number;
}

function walk({ before, after, lengths, width }: Table): Edit[] {
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const old = before[i];
    const fresh = after[j];
    if (old !== undefined && old === fresh) {
      edits.push({ kind: " ", line: old });
      i++;
      j++;
    } else if (
      fresh === undefined ||
      (old !== undefined && (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      edits.push({ kind: "-", line: old ?? "" });
      i++;
    } else {
      edits.push({ kind: "+", line: fresh });
      j++;
    }
  }
  return edits;
}

function hunksOf(edits: readonly Edit[]): string[] {
  const lines: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  let at = 0;
  while (at < edits.length) {
    const change = edits.findIndex(({ kind }, index) => index >= at && kind !== " ");
    if (change < 0) break;
    const from = Math.max(at, change - context);
    oldLine += from - at;
    newLine += from - at;
    const to = endOfHunk(edits, change);
    const hunk = edits.slice(from, to);
    const oldCount = hunk.filter(({ kind }) => kind !== "+").length;
    const newCount = hunk.filter(({ kind }) => kind !== "-").length;
    lines.push(`@@ -${start(oldLine, oldCount)} +${start(newLine, newCount)} @@`);
    lines.push(...hunk.map(({ kind, line }) => (line === noNewline ? line : `${kind}${line}`)));
    oldLine += oldCount;
    newLine += newCount;
    at = to;
  }
  return lines;
}

const start = (line: number, count: number): string => `${count === 0 ? line - 1 : line},${count}`;

/** Changes nearer than two contexts share a hunk. */
function endOfHunk(edits: readonly Edit[], change: number): number {
  let last = change;
  for (let at = change; at < edits.length && at - last <= context * 2; at++) {
    if (edits[at]?.kind !== " ") last = at;
  }
  return Math.min(edits.length, last + context + 1);
}
