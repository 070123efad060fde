/**
 * What people type who are new to this, or come from Ansible: test/cases/mistakes/*.txt, and what they are told.
 *
 *   === name of the case
 *   $ arguments of provision       (default: localhost, -c local site.yml)
 *   >> file [crlf] [+x] [vault [ID]]
 *   its lines; "→" is a tab; the file "tasks" is the tasks of a site.yml
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runCommandLine } from "../../src/cli/main.ts";
import { noTerminal } from "../../src/cli/process-io.ts";
import { splitShellWords } from "../../src/provisioning/source/split-shell-words.ts";
import { encryptVault } from "../../src/provisioning/vars/vault/vault.ts";
import { capturedIo } from "./captured-io.ts";

const folder = join(import.meta.dirname, "../cases/mistakes");
/** Of every file that is encrypted. */
const vaultPassword = "right77";

export interface MistakeFile {
  readonly name: string;
  readonly flags: readonly string[];
  readonly text: string;
}
export interface WrittenMistake {
  readonly name: string;
  readonly argv: readonly string[];
  readonly files: readonly MistakeFile[];
}

export const mistakeFiles = readdirSync(folder).map((file) => file.replace(/\.txt$/, ""));

export function readMistakes(file: string): readonly WrittenMistake[] {
  const [, ...cases] = `\n${readFileSync(join(folder, `${file}.txt`), "utf8")}`.split("\n=== ");
  return cases.map((text) => {
    const [head = "", ...parts] = text.split("\n>> ");
    const [name = "", second = ""] = head.trimEnd().split("\n");
    return {
      name,
      argv: second.startsWith("$ ") ? wordsOf(second.slice(2)) : ["localhost,", "-c", "local", "site.yml"],
      files: parts.map(readFile),
    };
  });
}

function wordsOf(line: string): readonly string[] {
  const words = splitShellWords(line);
  if ("problem" in words) throw new Error(`a case cannot be read: ${line}`);
  return words.words.map((word) => word.text);
}

function readFile(part: string): MistakeFile {
  const [head = "", ...lines] = part.trimEnd().split("\n");
  const [name = "", ...flags] = head.split(" ");
  const text = `${lines.join("\n").replaceAll("→", "\t")}\n`;
  if (name !== "tasks") return { name, flags, text };
  const tasks = text.replaceAll(/^(?=.)/gm, "    ");
  return { name: "site.yml", flags, text: `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}` };
}

/** Everything that is printed, without what differs each time. First what --syntax-check says, then what a run does. */
export async function tell(mistake: WrittenMistake): Promise<{ code: number; text: string }> {
  const dir = mkdtempSync(join(tmpdir(), "provision-mistake-"));
  try {
    for (const file of mistake.files) write(dir, file);
    const io = capturedIo({
      cwd: dir,
      env: { HOME: dir, PATH: process.env["PATH"] },
      packageRoot: dir,
      prompt: (question, { otherwise } = {}) => Promise.reject(noTerminal(question, otherwise)),
    });
    const code = await runCommandLine(mistake.argv, io);
    return { code, text: constant(`${io.output()}${io.errors()}`, dir) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function write(dir: string, { name, flags, text }: MistakeFile): void {
  const path = join(dir, name);
  const [, id] = flags[0] === "vault" ? flags : [];
  const content =
    flags[0] === "vault"
      ? encryptVault(Buffer.from(text), { id: id ?? "default", password: () => Buffer.from(vaultPassword) })
      : text;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, flags.includes("crlf") ? content.replaceAll("\n", "\r\n") : content);
  if (flags.includes("+x")) chmodSync(path, 0o755);
}

const constant = (text: string, dir: string): string =>
  text
    .replaceAll(`${dir}/`, "")
    .replaceAll(dir, ".")
    .replaceAll(/^\d\d:\d\d:\d\d /gm, "00:00:00 ")
    .replaceAll(/ +[\d.]+ m?s$/gm, "  …")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "0000-00-00 00:00:00");
