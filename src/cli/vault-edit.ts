/** Plaintext in an editor: in a private folder, in memory where the machine has such a place, gone afterwards. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import { splitShellWords } from "../provisioning/source/split-shell-words.ts";
import type { CliIo } from "./io.ts";

export async function editPrivately(content: Uint8Array, name: string, io: CliIo): Promise<Buffer> {
  const folder = mkdtempSync(join(memoryFolder(io), "provision-vault-"));
  try {
    // The suffix tells the editor what it is.
    const file = join(folder, basename(name));
    writeFileSync(file, content, { mode: 0o600 });
    await runEditor(file, io);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A tmpfs keeps the text off the disk. */
function memoryFolder(io: CliIo): string {
  const candidates = [io.env["XDG_RUNTIME_DIR"], "/dev/shm"];
  return (
    candidates.find(
      (path) => path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    ) ?? tmpdir()
  );
}

function runEditor(file: string, io: CliIo): Promise<void> {
  const command = io.env["VISUAL"] ?? io.env["EDITOR"] ?? "vi";
  const split = splitShellWords(command);
  if ("problem" in split) return Promise.reject(editorError(command, "its quotes do not end"));
  const [program = "vi", ...args] = split.words.map(({ text }) => text);
  return new Promise((done, fail) => {
    const editor = spawn(program, [...args, file], { stdio: "inherit", cwd: io.cwd });
    editor.once("error", (cause) => fail(editorError(command, "it cannot be started", cause)));
    editor.once("exit", (code, signal) => {
      if (code === 0) done();
      else fail(editorError(command, `it ended with ${code ?? signal}; nothing was changed`));
    });
  });
}

const editorError = (command: string, state: string, cause?: unknown): ProvisionError =>
  new ProvisionError({
    code: "bad-vault",
    action: `edit with "${command}"`,
    state,
    fix: "set EDITOR to the editor that you use",
    cause,
  });
