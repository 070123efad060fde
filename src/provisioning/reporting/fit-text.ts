/** How wide text stands on a terminal, and text that fits. */

const ellipsis = "…";

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours take no room.
const colours = /\x1b\[\d+m/g;
/** Two columns each: Hangul, CJK, full-width forms, most pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const none = /\p{Mark}|\u200d/u;

/** At most: how far a tab goes depends on where it stands. */
const tabColumns = 8;

function widthOf(character: string): number {
  if (character === "\t") return tabColumns;
  return none.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

export function visibleWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(colours, "")) width += widthOf(character);
  return width;
}

/** Cut at the end; for text without colours. */
export function fitted(text: string, columns: number): string {
  if (visibleWidth(text) <= columns) return text;
  let kept = "";
  let width = 1;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    kept += character;
  }
  return kept + ellipsis;
}

/** Cut in the middle: names of hosts differ at both ends. */
export function fittedName(name: string, columns: number): string {
  if (name.length <= columns) return name;
  const start = Math.ceil((columns - 1) / 2);
  return name.slice(0, start) + ellipsis + name.slice(name.length - (columns - 1 - start));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is one piece, and takes no room.
const pieces = /\x1b\[\d+m|./gsu;
/** A line is broken at its last space, unless that leaves more than this part of it empty. */
const leastFilled = 0.6;

/** A long line as several, the further ones two columns deeper than the first begins. Colours run on. */
export function wrapped(line: string, columns: number): string[] {
  if (visibleWidth(line) <= columns) return [line];
  const bare = line.replace(colours, "");
  const indent = " ".repeat(Math.min(bare.length - bare.trimStart().length + 2, columns >> 1));
  const lines: string[] = [];
  let current = "";
  let width = 0;
  let space = 0;
  for (const piece of line.match(pieces) ?? []) {
    const more = piece.length > 1 && piece.startsWith("\u001b") ? 0 : widthOf(piece);
    if (width + more > columns) {
      const isAtSpace = visibleWidth(current.slice(0, space)) >= columns * leastFilled;
      const end = isAtSpace && piece !== " " ? space : current.length;
      lines.push(current.slice(0, end).trimEnd());
      current = indent + current.slice(end).trimStart();
      width = visibleWidth(current);
      space = 0;
      if (piece === " " && current === indent) continue;
    }
    current += piece;
    width += more;
    if (piece === " ") space = current.length;
  }
  return [...lines, current];
}
