/** Rows and cells of CSV text. */
export function parseCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const mark = delimiter.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^${mark}\\r\\n]*))(${mark}|\\r?\\n|$)`, "g");
  for (const match of text.matchAll(cell)) {
    row.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    if (match[3] === delimiter) continue;
    rows.push(row);
    row = [];
    if (match.index + match[0].length >= text.length) break;
  }
  return rows;
}
