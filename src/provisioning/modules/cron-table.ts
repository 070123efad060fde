/** A table of cron as text: entries of ours stand below a comment with their name, as Ansible's do. */

export interface CronEntry {
  readonly name: string;
  readonly state: "present" | "absent";
  readonly job?: string | undefined;
  readonly minute: string;
  readonly hour: string;
  readonly day: string;
  readonly month: string;
  readonly weekday: string;
  readonly special_time?: string | undefined;
  readonly disabled: boolean;
  readonly env: boolean;
  readonly insertafter?: string | undefined;
  readonly insertbefore?: string | undefined;
  readonly user?: string | undefined;
  readonly cron_file?: string | undefined;
}

/** The same comment as Ansible's, so that entries it made are found and not doubled. */
const mark = "#Ansible: ";

export const cronLines = (table: string): readonly string[] =>
  table === "" ? [] : table.replace(/\n$/, "").split("\n");

const joined = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

export const cronNames = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));

export function editCron(table: string, entry: CronEntry): string {
  const lines = cronLines(table);
  return entry.env ? joined(editVariable(lines, entry)) : joined(editJob(lines, entry));
}

function editJob(lines: readonly string[], entry: CronEntry): readonly string[] {
  const at = lines.indexOf(mark + entry.name);
  if (entry.state === "absent") return at === -1 ? lines : lines.toSpliced(at, 2);
  const line = jobLine(entry);
  if (at === -1) {
    // An entry that somebody wrote by hand, exactly as wanted, is taken over instead of doubled.
    const same = lines.indexOf(line);
    return same === -1 ? [...lines, mark + entry.name, line] : takenOver(lines, same, entry);
  }
  const next = lines[at + 1];
  const isJob = next !== undefined && !next.startsWith(mark);
  return isJob ? lines.with(at + 1, line) : lines.toSpliced(at + 1, 0, line);
}

function takenOver(lines: readonly string[], at: number, entry: CronEntry): readonly string[] {
  const isNamed = lines[at - 1]?.startsWith(mark) === true;
  return isNamed ? [...lines, mark + entry.name, jobLine(entry)] : lines.toSpliced(at, 0, mark + entry.name);
}

function jobLine(entry: CronEntry): string {
  const { minute, hour, day, month, weekday } = entry;
  const time =
    entry.special_time === undefined
      ? [minute, hour, day, month, weekday].join(" ")
      : `@${entry.special_time}`;
  const user = entry.cron_file === undefined ? [] : [entry.user ?? "root"];
  // cron ends a command at a newline.
  const job = (entry.job ?? "").replace(/[\r\n]+$/, "");
  return `${entry.disabled ? "#" : ""}${[time, ...user, job].join(" ")}`;
}

const isVariable = (line: string, name: string): boolean =>
  line.startsWith(`${name}=`) || line.startsWith(`${name} =`);

export const hasVariable = (table: string, name: string): boolean =>
  cronLines(table).some((line) => isVariable(line, name));

function editVariable(lines: readonly string[], entry: CronEntry): readonly string[] {
  const at = lines.findIndex((line) => isVariable(line, entry.name));
  if (entry.state === "absent") return at === -1 ? lines : lines.toSpliced(at, 1);
  const line = `${entry.name}="${(entry.job ?? "").replace(/^"(.*)"$/, "$1")}"`;
  if (at !== -1) return lines.with(at, line);
  const anchor = entry.insertafter ?? entry.insertbefore;
  const found = anchor === undefined ? -1 : lines.findIndex((other) => isVariable(other, anchor));
  if (found === -1) return [line, ...lines];
  return lines.toSpliced(entry.insertafter === undefined ? found : found + 1, 0, line);
}
