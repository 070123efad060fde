/** On a terminal of its own: what is typed, what is drawn, and what is left behind. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
  readonly laterMs?: number;
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
      const { keys, laterMs = 0 } = next;
      setTimeout(() => child.stdin.write(keys), laterMs);
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

  test("a question of a task is seen, however long it stands, and nothing is drawn over it", async () => {
    writeFileSync(
      join(dir, "asks.yml"),
      "- hosts: a\n  gather_facts: false\n  tasks:\n    - {name: asking, pause: {prompt: Is the cable in}}\n",
    );
    const { code, shown } = await onTerminal(`${provision} hosts.ini asks.yml`, [
      { after: "Is the cable in", keys: "\r", laterMs: 600 },
    ]);
    const [asked = ""] = shown.slice(shown.indexOf("Is the cable in")).split("✔");
    expect(code).toBe(0);
    expect(asked).not.toContain("asking");
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

/** A real terminal that breaks long lines anew; there is none in what the tests need otherwise. */
const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** What stands on the window when it was made narrower while `shown` was drawn. */
async function narrowed(command: string, shown: string): Promise<string> {
  const tmux = (...args: readonly string[]): string =>
    execFileSync("tmux", ["-L", basename(dir), ...args], {
      encoding: "utf8",
      env: { ...process.env, HOME: dir },
    });
  const screen = (): string => tmux("capture-pane", "-p", "-S", "-50");
  tmux("new-session", "-d", "-x", "100", "-y", "40", `cd ${dir} && ${command}`);
  try {
    await expect.poll(screen, { timeout: 20_000 }).toContain(shown);
    tmux("resize-window", "-x", "40", "-y", "40");
    await expect.poll(screen, { timeout: 5_000 }).toContain("…");
    await sleep(500);
    return screen();
  } finally {
    tmux("kill-server");
  }
}

test.skipIf(!hasTmux)("a window that is made narrower keeps no line of what was drawn before", async () => {
  const title = "a task whose name fills a good part of a line of a hundred columns";
  writeFileSync(
    join(dir, "named.yml"),
    `- hosts: all\n  gather_facts: false\n  tasks:\n    - {name: ${title}, command: sleep 30}\n`,
  );
  const screen = await narrowed(`${provision} hosts.ini named.yml`, title);
  expect(screen.match(/a task whose name/g)).toHaveLength(1);
  expect(screen.match(/^ +\S b$/gm)).toHaveLength(1);
});

test("a reader that goes away early is no error", async () => {
  const { code, shown } = await onTerminal(`${provision} inventory -i hosts.ini --list | head -1`, []);
  expect([code, shown.trim()]).toEqual([0, "{"]);
});
