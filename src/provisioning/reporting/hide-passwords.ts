/** A line of a user's file as an error may show it: what stands behind a key that names a password is starred out. */

const keys =
  /!vault(\s)\s*(?=["'\w])|(?<![A-Za-z])(?:password|passwd|passphrase|passwort|pass|secret|token|api_?key)["']?\s*([:=])\s*/gi;
/** `=` ends at a blank, `:` at the end of its map; templates and vault values hide themselves. */
const values: Readonly<Record<string, RegExp>> = {
  "=": /"[^"]*"?|'[^']*'?|\S+/y,
  ":": /"[^"]*"?|'[^']*'?|[^,}\n]+/y,
};
const harmless = /^["']?(?:\{\{|!|[|>][-+]?\s*$|(?:true|false|yes|no|null|~)["']?$)/i;
/** Shorter ones are hidden where they stand, but not looked for elsewhere. */
const shortestElsewhere = 4;

export interface HiddenLine {
  /** As long as it was, so that a caret below it stands right. */
  readonly line: string;
  /** The values, to be hidden in the sentences about them. */
  readonly found: readonly string[];
}

export function hidePasswords(line: string): HiddenLine {
  const found: string[] = [];
  let shown = line;
  for (const { 0: key, 1: isVault, 2: written, index } of line.matchAll(keys)) {
    const sign = isVault === undefined ? (written ?? ":") : ":";
    const start = index + key.length;
    const pattern = values[sign] ?? /$/y;
    pattern.lastIndex = start;
    const value = pattern.exec(line)?.[0].trimEnd() ?? "";
    if (value === "" || harmless.test(value)) continue;
    shown = shown.slice(0, start) + "*".repeat(value.length) + shown.slice(start + value.length);
    const bare = value.replace(/^(["'])(.*?)\1?$/, "$2");
    if (bare.length >= shortestElsewhere) found.push(bare);
  }
  return { line: shown, found };
}
