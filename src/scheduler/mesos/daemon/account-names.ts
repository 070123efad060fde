/** Names of users and groups by number, from /etc/passwd and /etc/group, read again when they changed. */
import { readFileSync, statSync } from "node:fs";

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

class AccountFile {
  readonly #path: string;
  #changedAt = -1;
  #lines: readonly (readonly string[])[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  get lines(): readonly (readonly string[])[] {
    const changedAt = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changedAt !== this.#changedAt) {
      this.#lines = changedAt === 0 ? [] : parse(readFileSync(this.#path, "utf8"));
      this.#changedAt = changedAt;
    }
    return this.#lines;
  }
}

const parse = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));

const passwd = new AccountFile("/etc/passwd");
const group = new AccountFile("/etc/group");

const nameOf = (file: AccountFile, number: number): string =>
  file.lines.find((fields) => fields[2] === String(number))?.[0] ?? String(number);

export const userName = (uid: number): string => nameOf(passwd, uid);
export const groupName = (gid: number): string => nameOf(group, gid);

export function findAccount(name: string): Account | undefined {
  const fields = passwd.lines.find(([found]) => found === name);
  if (fields === undefined) return undefined;
  return { name, uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] ?? "/" };
}

/** The user's further groups. */
export const groupsOf = (name: string): readonly number[] =>
  group.lines.filter((fields) => fields[3]?.split(",").includes(name)).map((fields) => Number(fields[2]));
