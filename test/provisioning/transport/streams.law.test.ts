import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compileStep } from "../../../src/provisioning/host/compile-step.ts";
import type { BaseSession } from "../../../src/provisioning/transport/base-session.ts";
import { limits } from "../../../src/provisioning/transport/limits.ts";
import type { Frame, Shell } from "../../../src/provisioning/transport/session.ts";
import { preamble } from "../../../src/provisioning/transport/shell-text.ts";
import { shells } from "../host/shells.ts";
import { ask, brief, shellSession, step, streaming } from "./sessions.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-streams-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const all = Buffer.from([...Array(256).keys()]);
const piece = limits.transferChunkBytes;
const megabyte = Buffer.concat(Array<Buffer>(4096).fill(all));
/** Every line of it, taken for a command, leaves a trace. */
const ran = join(folder, "ran");
const bomb = Buffer.from(`\ntouch ${ran}\n`.repeat(60_000));
let count = 0;

describe.each(shells)("streams into $name", ({ argv }) => {
  let session: BaseSession;
  let shell: Shell;
  let dir = "";
  beforeEach(async () => {
    session = shellSession(argv);
    shell = await session.shell(null);
    dir = join(folder, `d${count++}`);
    mkdirSync(dir);
  });
  afterEach(async () => {
    await session.close();
    expect(existsSync(ran)).toBe(false);
  });

  const writing = (name: string, from: string | Buffer, sizeBytes = from.length): Frame => {
    const source = typeof from === "string" ? { file: from, sha256: "", sizeBytes } : { bytes: from };
    const { script, stream } = compileStep({
      ...{ do: "write", why: "test", path: join(dir, name), from: source },
    });
    if (stream === undefined) throw new Error("it is small");
    return ask(script, { stream, onlyAfterSuccess: true, timeoutMs: 30_000 });
  };

  test.each(["ask", "step"] as const)(
    "%s: any bytes come whole, between frames, in one message",
    async (kind) => {
      const streamed = { kind, script: `cat >${dir}/a; echo err >&2; echo out`, timeoutMs: 30_000 };
      const results = await shell.exchange([
        step("echo first", { stdin: Buffer.from("x") }),
        { ...streamed, ...streaming(megabyte) },
        { ...streamed, script: `cat >${dir}/b`, ...streaming(bomb), onlyAfterSuccess: true },
        step("echo last; cat"),
      ]);
      expect(brief(results)).toEqual(["0:first\n|", "0:out\n|err\n", "0:|", "0:last\n|"]);
      expect(readFileSync(join(dir, "a")).equals(megabyte)).toBe(true);
      expect(readFileSync(join(dir, "b")).equals(bomb)).toBe(true);
      expect(session.roundTrips).toBe(1);
    },
  );

  test.each([0, 1, 8191, 8192, 8193, piece - 1, piece, piece + 1])("%d bytes come whole", async (size) => {
    const bytes = Buffer.concat([megabyte, megabyte]).subarray(0, size);
    expect(brief(await shell.exchange([ask(`cat >${dir}/f`, streaming(bytes)), ask("echo on")]))).toEqual([
      "0:|",
      "0:on\n|",
    ]);
    expect(readFileSync(join(dir, "f")).equals(bytes)).toBe(true);
  });

  test.each([
    ["reads nothing", "exit 3", "3:|"],
    ["reads a little", "head -c 100 | wc -c; exit 0", "0:100\n|"],
    ["is killed", "kill -9 $(sh -c 'echo $PPID')", undefined],
  ])("a script that %s leaves no byte behind for the shell", async (_, script, expected) => {
    for (const kind of ["ask", "step"] as const) {
      const [first, ...rest] = brief(
        await shell.exchange([ask(script, { ...streaming(bomb), kind }), ask("echo on; cat")]),
      );
      if (expected !== undefined) expect(first).toBe(expected);
      expect(rest).toEqual(["0:on\n|"]);
    }
  });

  test("what is skipped, or reads no more, is not sent on", async () => {
    const big = join(dir, "big");
    spawnSync("truncate", ["-s", "20G", big]);
    const stream = { from: big, sizeBytes: 20 * 1024 ** 3 };
    const frames = [
      ask("exit 3", { stream }),
      step("exit 4", { stream }),
      ask("echo never", { stream, onlyAfterSuccess: true }),
      ask("echo on"),
    ];
    expect(brief(await shell.exchange(frames))).toEqual(["3:|", "4:|", "S", "0:on\n|"]);
  });

  test("a step that leaves a child behind goes on in a new shell, streams and all", async () => {
    const held = join(dir, "held");
    writeFileSync(held, "");
    const frames = [
      step(`(while [ -e ${held} ]; do sleep 0.1; done) & echo now`),
      ask(`cat >${dir}/f`, streaming(bomb)),
    ];
    expect(brief(await shell.exchange(frames))).toEqual(["0:now\n|", "0:|"]);
    expect(readFileSync(join(dir, "f")).equals(bomb)).toBe(true);
    rmSync(held);
  });

  test("a large file is written whole, in one message with what depends on it, and nothing is left beside it", async () => {
    const source = join(folder, "source");
    writeFileSync(source, megabyte);
    const frames = [writing("a", megabyte), writing("b", source, megabyte.length), ask(`ls -A ${dir}`)];
    expect(brief(await shell.exchange(frames))).toEqual(["0:|", "0:|", "0:a\nb\n|"]);
    expect(readFileSync(join(dir, "a")).equals(readFileSync(join(dir, "b")))).toBe(true);
    expect(session.roundTrips).toBe(1);
  });

  test("a file that got shorter, or is gone, is not written, and the reason is told", async () => {
    writeFileSync(join(dir, "old"), "old");
    const source = join(folder, "short");
    writeFileSync(source, megabyte);
    const [shorter, gone] = await shell.exchange([
      writing("old", source, megabyte.length + 1),
      { ...writing("old", join(folder, "none"), 300_000), onlyAfterSuccess: false },
    ]);
    expect(Buffer.from(shorter?.stderr ?? []).toString()).toContain("only 1048576 of 1048577 bytes arrived");
    expect(Buffer.from(gone?.stderr ?? []).toString()).toContain("ENOENT");
    expect([shorter?.code, gone?.code]).toEqual([1, 1]);
    expect(readdirSync(dir)).toEqual(["old"]);
    expect(readFileSync(join(dir, "old"), "utf8")).toBe("old");
  });

  test("time runs from the last piece on: a long stream is no hanging frame, a script that hangs is", async () => {
    const slow = ask(
      "for i in 1 2 3 4 5 6 7 8; do head -c 1000000 >/dev/null; sleep 0.1; done; cat >/dev/null",
      {
        ...streaming(Buffer.alloc(8_000_000)),
        timeoutMs: 700,
      },
    );
    expect(brief(await shell.exchange([slow]))).toEqual(["0:|"]);
    const hangs = ask("sleep 60", { ...streaming(Buffer.alloc(8_000_000)), timeoutMs: 300 });
    expect(brief(await shell.exchange([hangs, ask("echo on")]))).toEqual(["T:", "0:on\n|"]);
  });

  test("an interrupt leaves no part of a file, neither under its name nor beside it, and begins nothing more", async () => {
    const big = join(folder, "endless");
    spawnSync("truncate", ["-s", "500G", big]);
    const ending = shell.exchange([
      {
        ...writing("f", big, 500 * 1024 ** 3),
        script: `ulimit -f 100000; ${writing("f", big, 500 * 1024 ** 3).script.replace("fill\n", 'head -c 1000000 >"$t"; cat >/dev/null\n')}`,
      },
      step(`touch ${dir}/next`, { onlyAfterSuccess: true }),
    ]);
    await vi.waitFor(() => expect(readdirSync(dir)).toHaveLength(1), { timeout: 5_000 });
    session.interrupt();
    expect((await ending).map(({ code, skipped }) => (skipped ? "S" : code))).toEqual([1, "S"]);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("a writing that hangs, and is ended, leaves nothing beside its place", async () => {
    for (const content of [Buffer.from("small"), bomb]) {
      const { script, stdin, stream } = compileStep({
        ...{ do: "write", why: "test", path: join(dir, "f"), from: { bytes: content } },
        validate: "sleep 60; true %s",
      });
      const input = { ...(stdin ? { stdin } : {}), ...(stream ? { stream } : {}) };
      expect(brief(await shell.exchange([step(script, { ...input, timeoutMs: 500 })]))).toEqual(["T:"]);
      expect(readdirSync(dir)).toEqual([]);
    }
  });

  test("a connection that ends in the middle of a file leaves none of it", async () => {
    // What the session sends, cut off anywhere: the shell sees the end of its input.
    const { script } = writing("f", bomb);
    const nonce = "0123456789abcdef0123456789abcdef";
    const text = `${preamble(nonce)}_ok=1\n_z=1\n_A 1 '${script.replaceAll("'", "'\\''")}' 0\n${" ".repeat(8191)}\n${nonce} ${bomb.length}\n`;
    const whole = Buffer.concat([Buffer.from(text), bomb, Buffer.from(`${nonce} 0\n`)]);
    const cuts = [text.length - 40, text.length, text.length + 1, text.length + 500_000, whole.length - 40];
    const [program = "sh", ...args] = argv;
    for (const cut of cuts) {
      const child = spawn(program, args, { stdio: ["pipe", "ignore", "ignore"] });
      child.stdin.end(whole.subarray(0, cut));
      await new Promise((resolve) => child.on("close", resolve));
      expect(readdirSync(dir)).toEqual([]);
    }
    const child = spawn(program, args, { stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end(whole);
    await new Promise((resolve) => child.on("close", resolve));
    expect(readdirSync(dir)).toEqual(["f"]);
  });

  test("a shell that has read ahead further than any known one is killed before it takes a byte for a command", async () => {
    const nonce = "0123456789abcdef0123456789abcdef";
    // The line that would begin the first piece was swallowed.
    const text = `${preamble(nonce)}_ok=1\n_z=1\n_A 1 'cat >/dev/null' 0\n${" ".repeat(8191)}\n`;
    const [program = "sh", ...args] = argv;
    const { signal } = spawnSync(program, args, { input: Buffer.concat([Buffer.from(text), bomb]) });
    expect(signal).toBe("SIGKILL");
  });
});
