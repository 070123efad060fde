/** The lists of package sources: one line a source in .list files, and where a key for them lies. */
import { printNamedFileSh, readNamedFiles } from "./named-files.ts";

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** All .list files. */
export const sourcesSh = `for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do [ -f "$f" ] || continue
${printNamedFileSh}; done`;

export const readSources = (bytes: Uint8Array): readonly SourceFile[] =>
  readNamedFiles(bytes).map(({ name, bytes }) => ({ path: name, text: new TextDecoder().decode(bytes) }));

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
