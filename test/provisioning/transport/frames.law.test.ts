import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BaseSession } from "../../../src/provisioning/transport/base-session.ts";
import { limits } from "../../../src/provisioning/transport/limits.ts";
import type { Shell } from "../../../src/provisioning/transport/session.ts";
import { shells } from "../host/shells.ts";
import { ask, brief, shellSession, step } from "./sessions.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-frames-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const all = Buffer.from([...Array(256).keys()]);
const megabyte = Buffer.concat(Array<Buffer>(4096).fill(all));
writeFileSync(join(folder, "mb"), megabyte);
const isRunning = (mark: string): boolean => spawnSync("pgrep", ["-f", `slee[p] ${mark}`]).status === 0;

describe.each(shells)("frames in $name", ({ argv, name }) => {
  let session: BaseSession;
  let shell: Shell;
  beforeEach(async () => {
    session = shellSession(argv);
    shell = await session.shell(null);
  });
  afterEach(() => session.close());

  test("frames of one message keep their streams and codes apart", async () => {
    const script = "printf out; printf err >&2; exit 3";
    const results = await shell.exchange([
      ask(script),
      step(script, { okCodes: [3] }),
      ask(":"),
      step("printf x"),
    ]);
    expect(brief(results)).toEqual(["3:out|err", "3:out|err", "0:|", "0:x|"]);
    expect(session.roundTrips).toBe(1);
  });

  test("what depends on success is skipped after a failure, and only then", async () => {
    const after = { onlyAfterSuccess: true };
    expect(
      brief(
        await shell.exchange([
          step("exit 3", { okCodes: [0, 3] }),
          step("echo a", after),
          ask("exit 1"),
          step("echo b", after),
          ask("echo c"),
        ]),
      ),
    ).toEqual(["3:|", "0:a\n|", "1:|", "S", "0:c\n|"]);
    expect(brief(await shell.exchange([step("echo d", after)]))).toEqual(["0:d\n|"]);
  });

  test.each(["ask", "step"] as const)(
    "%s: one megabyte of any bytes goes in, and out on both streams",
    async (kind) => {
      const frame = { kind, timeoutMs: 30_000 };
      const both = `cat ${folder}/mb; cat ${folder}/mb >&2`;
      const results = await shell.exchange([
        { ...frame, script: "cat", stdin: megabyte },
        { ...frame, script: both },
      ]);
      expect(Buffer.from(results[0]?.stdout ?? []).equals(megabyte)).toBe(true);
      expect(Buffer.from(results[1]?.stdout ?? []).equals(megabyte)).toBe(true);
      expect(Buffer.from(results[1]?.stderr ?? []).equals(megabyte)).toBe(true);
    },
  );

  test("a script cannot harm the shell: exit, exec, cd, set -e, traps, syntax errors, closed streams", async () => {
    const scripts = [
      "exit 4",
      "exec true",
      "cd /tmp; PATH=; umask 0",
      "set -eu; false",
      "trap 'echo bye' EXIT",
      "if then",
      "exec >&- 2>&-",
      "( ",
    ];
    await shell.exchange(scripts.flatMap((script) => [ask(script), step(script)]));
    expect(brief(await shell.exchange([ask("cat </dev/null; umask; echo $#")]))).toEqual(["0:0022\n0\n|"]);
  });

  test("a script that does not read its stdin goes on, and leaves none to the next", async () => {
    expect(
      brief(
        await shell.exchange([
          step("echo a", { stdin: megabyte }),
          ask("cat"),
          step("cat"),
          ask("echo b", { stdin: megabyte }),
        ]),
      ),
    ).toEqual(["0:a\n|", "0:|", "0:|", "0:b\n|"]);
  });

  test("a child left behind never leaks into the next frame, and lives on", async () => {
    const held = join(folder, `held-${argv[0]}`);
    const lived = join(folder, `lived-${argv[0]}`);
    writeFileSync(held, "");
    const results = await shell.exchange([
      step(`(while [ -e ${held} ]; do sleep 0.1; done; echo late; echo late >&2; touch ${lived}) & echo now`),
      ask("echo next"),
      step(`rm ${held}; while [ ! -e ${lived} ]; do sleep 0.1; done; echo last`, { onlyAfterSuccess: true }),
    ]);
    expect(brief(results)).toEqual(["0:now\n|", "0:next\n|", "0:last\n|"]);
  });

  test("a frame never runs twice: a shell that is freed while it is being replaced has not gone on, or nobody knows", async () => {
    const file = join(folder, `once-${argv[0]}`);
    for (let i = 0; i < 8; i++) {
      rmSync(file, { force: true });
      const held = (limits.cleanTimeoutMs + i * 10 - 20) / 1000;
      const frames = [step(`(sleep ${held}) & :`), step(`echo ran >>${file}`)];
      const results = await shell.exchange(frames).catch((error: { code: string }) => error.code);
      const ran = existsSync(file) ? readFileSync(file, "utf8") : "";
      if (results === "connection-lost") expect(["", "ran\n"]).toContain(ran);
      else expect([ran, results.length]).toEqual(["ran\n", 2]);
    }
  });

  test("a frame that ends just as its time does never makes the next one run twice", async () => {
    const file = join(folder, `late-${argv[0]}`);
    for (let i = 0; i < 10; i++) {
      rmSync(file, { force: true });
      const frames = [
        ask(`sleep ${(285 + i * 3) / 1000}`, { timeoutMs: 300 }),
        step(`echo ran >>${file}; sleep 0.1`),
      ];
      const results = await shell.exchange(frames).catch((error: { code: string }) => error.code);
      const ran = existsSync(file) ? readFileSync(file, "utf8") : "";
      if (results === "connection-lost") expect(["", "ran\n"]).toContain(ran);
      else expect([ran, results.length]).toEqual(["ran\n", 2]);
    }
  });

  test("a hanging frame is killed with all it started; what follows goes on in a new shell", async () => {
    const mark = `7${process.pid}${argv[0]?.length}`;
    const results = await shell.exchange([
      step(`echo before; sleep ${mark} | cat`, { timeoutMs: 300 }),
      step("echo never", { onlyAfterSuccess: true }),
      ask("echo after"),
    ]);
    expect(brief(results)).toEqual(["T:before\n", "S", "0:after\n|"]);
    expect(isRunning(mark)).toBe(false);
  });

  test("a shell that dies in the middle is a lost connection, and the next message has a new one", async () => {
    await expect(
      shell.exchange([ask("echo a"), step("kill -9 $$; sleep 1"), ask("echo b")]),
    ).rejects.toMatchObject({
      code: "connection-lost",
    });
    expect(brief(await shell.exchange([ask("echo again")]))).toEqual(["0:again\n|"]);
  });

  test("messages sent at once are answered one after another", async () => {
    const results = await Promise.all(["a", "b", "c"].map((word) => shell.exchange([step(`echo ${word}`)])));
    expect(results.flatMap(brief)).toEqual(["0:a\n|", "0:b\n|", "0:c\n|"]);
  });

  test("no secret of stdin stands in any argv", async () => {
    const seen = await shell.exchange([
      step("cat >/dev/null; cat /proc/[0-9]*/cmdline | tr '\\0' ' '", {
        stdin: Buffer.from("hunter2secret"),
      }),
    ]);
    expect(Buffer.from(seen[0]?.stdout ?? []).toString()).not.toContain("hunter2secret");
  });

  test("a file comes down, byte for byte, or not at all", async () => {
    await session.download(join(folder, "mb"), join(folder, "down"), { maxBytes: megabyte.length });
    expect(readFileSync(join(folder, "down")).equals(megabyte)).toBe(true);
    const tooLong = session.download(join(folder, "mb"), join(folder, "down2"), { maxBytes: 10 });
    await expect(tooLong).rejects.toMatchObject({ code: "output-too-large" });
    expect(existsSync(join(folder, "down2"))).toBe(false);
  });

  test("retired shells are opened anew", async () => {
    const [first] = brief(await shell.exchange([ask("echo $$")]));
    await session.retireShells();
    const [second] = brief(await shell.exchange([ask("echo $$")]));
    expect(second).not.toBe(first);
  });

  test("what frames cost", async () => {
    for (const kind of ["ask", "step"] as const) {
      const frame = { kind, script: ":", timeoutMs: 10_000 };
      await shell.exchange([frame]);
      const started = performance.now();
      for (let i = 0; i < 50; i++) await shell.exchange([frame]);
      const between = performance.now();
      await shell.exchange(Array.from({ length: 50 }, () => frame));
      const end = performance.now();
      console.info(
        `${name}: ${kind} ${((between - started) / 50).toFixed(2)} ms, pipelined ${((end - between) / 50).toFixed(2)} ms`,
      );
    }
  });
});

test("output without end is an error, not the controller's memory", async () => {
  const session = shellSession(["dash"]);
  await expect((await session.shell(null)).exchange([step("yes")])).rejects.toMatchObject({
    code: "output-too-large",
  });
  await session.close();
});

test("a login shell's chatter on both streams is passed over", async () => {
  const session = shellSession(
    ["dash"],
    ["sh", "-c", 'echo welcome; echo motd >&2; printf "no newline"; exec "$@"', "sh"],
  );
  expect(brief(await (await session.shell(null)).exchange([ask("echo a")]))).toEqual(["0:a\n|"]);
  await session.close();
});

test("a login that ends instead of giving a shell says what it said", async () => {
  const session = shellSession(["dash"], ["sh", "-c", "echo 'This account is closed.' >&2; exit 1", "sh"]);
  const shell = await session.shell(null);
  await expect(shell.exchange([ask(":")])).rejects.toMatchObject({
    code: "unsupported-shell",
    state: 'it ended with exit code 1, saying "This account is closed."',
  });
  await session.close();
});
