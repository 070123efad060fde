/** The lists of package sources: one line a source in .list files, and where a key for them lies. */

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** All .list files, each after a line with its name and size. */
export const sourcesSh = `for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do [ -f "$f" ] || continue
printf '%s\\n%s\\n' "$f" "$(wc -c <"$f")"; cat -- "$f"; done`;

export function readSources(bytes: Uint8Array): readonly SourceFile[] {
  const files: SourceFile[] = [];
  let at = 0;
  const line = () => {
    const end = bytes.indexOf(10, at);
    const text = new TextDecoder().decode(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  while (at < bytes.length) {
    const path = line();
    const size = Number(line());
    files.push({ path, text: new TextDecoder().decode(bytes.subarray(at, at + size)) });
    at += size;
  }
  return files;
}

/** "deb  [arch=amd64] http://x  y" and "deb [arch=amd64] http://x y # note" are the same source. */
export const normalSource = (line: string): string =>
  line
    .replace(/\s#.*$/, "")
    .trim()
    .replaceAll(/\s+/g, " ")
    .replace(/\[\s*/, "[")
    .replace(/\s*\]/, "]");

export const isSource = (line: string): boolean =>
  /^(deb|deb-src)\s+(\[[^\]]*\]\s+)?\S+\s+\S+(\s+\S+)*\s*$/.test(normalSource(line));

/** The name that a source's file gets by itself: archive_example_com_ubuntu.list. */
export function suggestedName(line: string): string {
  const rest = line.replace(/\[[^\]]+\]/, "").replace(/\w+:\/\//, "");
  const [place = "source"] = rest
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "deb" && word !== "deb-src");
  const address = place.slice(place.indexOf("@") + 1);
  return address
    .replaceAll(/[^A-Za-z0-9]/g, " ")
    .trim()
    .replaceAll(/\s+/g, "_");
}
