/** On a terminal of its own: what is typed, what is drawn, and what is left behind. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shellWords } from "../../src/base/shell-quote.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "provision-terminal-"));
  writeFileSync(join(dir, "hosts.ini"), "a ansible_connection=local\nb ansible_connection=local\n");
  writeFileSync(
    join(dir, "long.yml"),
    "- hosts: all\n  gather_facts: false\n  tasks:\n    - {name: a long task, command: sleep 47}\n",
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const main = join(import.meta.dirname, "../../src/main.ts");
const provision = shellWords([process.execPath, "--disable-warning=ExperimentalWarning", main]);
const ctrlC = "\u0003";

interface Typed {
  /** After this has appeared. */
  readonly after: string;
  readonly keys: string;
}

function onTerminal(command: string, typed: readonly Typed[]): Promise<{ code: number; shown: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; shown: string }>();
  const sized = `stty columns 80 rows 24; ${command}`;
  const child = spawn("script", ["--quiet", "--return", "--command", sized, "/dev/null"], {
    cwd: dir,
    env: { ...process.env, HOME: dir, SHELL: "/bin/sh", TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 50_000,
  });
  const waiting = [...typed];
  let shown = "";
  let from = 0;
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    shown += part;
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const at = shown.indexOf(next.after, from);
      if (at < 0) return;
      from = at + next.after.length;
      child.stdin.write(next.keys);
      waiting.shift();
    }
  });
  child.on("error", reject);
  child.on("close", (code) => resolve({ code: code ?? -1, shown }));
  return promise;
}

describe("on a terminal", () => {
  test("Ctrl-C in the middle of a task that is drawn: 130, said so, the cursor is back", async () => {
    const { code, shown } = await onTerminal(`${provision} hosts.ini long.yml`, [
      { after: "a long task", keys: ctrlC },
    ]);
    expect(code).toBe(130);
    expect(shown).toMatch(/interrupted\S* in \d/);
    expect(shown).not.toContain("error[");
    expect(shown.lastIndexOf("\u001b[?25h")).toBeGreaterThan(shown.lastIndexOf("\u001b[?25l"));
  });

  test("a password is asked there though standard input is a pipe, and not shown", async () => {
    const { code, shown } = await onTerminal(`echo hello | ${provision} vault encrypt`, [
      { after: "Vault password: ", keys: "sesame77\r" },
      { after: "Confirm vault password: ", keys: "sesame77\r" },
    ]);
    expect([code, shown]).toEqual([0, expect.stringContaining("$ANSIBLE_VAULT;1.1;AES256")]);
    expect(shown).not.toContain("sesame");
  });

  test.each([
    ["Ctrl-C", ctrlC],
    ["Ctrl-D", "\u0004"],
  ])("%s at a question ends it with 130 and nothing else", async (_name, keys) => {
    const { code, shown } = await onTerminal(`${provision} hosts.ini long.yml -K`, [
      { after: "Password of sudo: ", keys },
    ]);
    expect([code, shown.replaceAll("\r", "").trim()]).toEqual([130, "Password of sudo:"]);
  });
});

test("a reader that goes away early is no error", async () => {
  const { code, shown } = await onTerminal(`${provision} inventory -i hosts.ini --list | head -1`, []);
  expect([code, shown.trim()]).toEqual([0, "{"]);
});
