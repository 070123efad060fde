/** How wide text stands on a terminal, and text that fits. */

const ellipsis = "…";

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours take no room.
const colours = /\x1b\[\d+m/g;
/** Two columns each: Hangul, CJK, full-width forms, most pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const none = /\p{Mark}|\u200d/u;

const widthOf = (character: string): number => (none.test(character) ? 0 : wide.test(character) ? 2 : 1);

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
