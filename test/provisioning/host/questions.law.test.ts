import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileQuestions } from "../../../src/provisioning/host/compile-questions.ts";
import { limits } from "../../../src/provisioning/host/limits.ts";
import type { Answer, AnswerOf, Question } from "../../../src/provisioning/host/question.ts";
import { readAnswers } from "../../../src/provisioning/host/read-answers.ts";
import { runScript, shells } from "./shells.ts";

const all = Buffer.from([...Array(256).keys()]);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "provision-questions-"));
  const write = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, name), bytes);
  for (const name of odd) write(name, all);
  write("empty", "");
  write("exact", Buffer.alloc(limits.contentBytes));
  write("larger", Buffer.alloc(limits.contentBytes + 1));
  mkdirSync(join(folder, "dir"));
  symlinkSync("odd\ntarget", join(folder, "dangling"));
  symlinkSync("plain", join(folder, "link"));
  spawnSync("mkfifo", [join(folder, "fifo")]);
  chmodSync(join(folder, "plain"), 0o4751);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const odd = [
  "plain",
  "two words",
  "it's",
  'double"$x`',
  "-n",
  "line\nbreak",
  "back\\slash",
  "ünïcode",
  "*",
  "a\tb",
];

function ask(argv: readonly string[], questions: readonly Question[], env = process.env) {
  return readAnswers(runScript(argv, compileQuestions(questions), env), questions);
}
function value<K extends keyof AnswerOf>(answer: Answer | undefined, of: K): AnswerOf[K] {
  if (answer?.of !== of) throw new Error(`no ${of} answer`);
  return answer.value as AnswerOf[K];
}
const path = (
  name: string,
  want: readonly ("stat" | "hash" | "content" | "link")[],
  follow = false,
): Question => ({
  of: "path",
  path: join(folder, name),
  want,
  follow,
});

describe.each(shells)("questions in $name", ({ name, argv }) => {
  test("any name and any bytes come back exactly", () => {
    const answers = ask(
      argv,
      odd.map((each) => path(each, ["stat", "hash", "content"])),
    );
    for (const answer of answers) {
      const { stat, sha256: hash, content, denied } = value(answer, "path");
      expect(stat).toMatchObject({ exists: true, type: "file", size: 256, owner: "root", group: "root" });
      expect(hash).toBe(sha256(all));
      expect(Buffer.from(content ?? []).equals(all)).toBe(true);
      expect(denied).toBeUndefined();
    }
  });

  test("stat says what the file system says", () => {
    const [answer] = ask(argv, [path("plain", ["stat"])]);
    const real = statSync(join(folder, "plain"));
    expect(value(answer, "path").stat).toMatchObject({
      mode: 0o4751,
      inode: real.ino,
      device: real.dev,
      nlink: real.nlink,
      mtime: Math.floor(real.mtimeMs / 1000),
    });
  });

  test("links are told from what they name", () => {
    const answers = ask(argv, [
      path("link", ["stat", "link", "hash"]),
      path("link", ["stat", "hash"], true),
      path("dangling", ["stat", "link"]),
      path("dangling", ["stat"], true),
    ]).map((answer) => value(answer, "path"));
    expect(answers[0]).toMatchObject({ stat: { type: "link" }, linkTarget: "plain" });
    expect(answers[0]?.sha256).toBeUndefined();
    expect(answers[1]).toMatchObject({ stat: { type: "file" }, sha256: sha256(all) });
    expect(answers[2]).toMatchObject({ stat: { type: "link" }, linkTarget: "odd\ntarget" });
    expect(answers[3]).toEqual({ stat: { exists: false } });
  });

  test("a fifo never hangs a question, a folder has no content", () => {
    const answers = ask(argv, [
      path("fifo", ["stat", "hash", "content"]),
      path("dir", ["stat", "hash", "content"]),
    ]);
    expect(value(answers[0], "path")).toMatchObject({ stat: { type: "fifo" } });
    expect(value(answers[1], "path").content).toBeUndefined();
  });

  test("a content beyond the limit is only reported", () => {
    const answers = ask(
      argv,
      ["empty", "exact", "larger", "missing"].map((each) => path(each, ["content"])),
    );
    expect(answers.map((answer) => value(answer, "path").content?.length)).toEqual([
      0,
      limits.contentBytes,
      undefined,
      undefined,
    ]);
    expect(value(answers[2], "path").contentTooLarge).toBe(true);
  });

  test("a thousand files cost one stat and one sha256sum", () => {
    const many = join(folder, `many-${name}`);
    mkdirSync(many);
    const questions: Question[] = [];
    for (let i = 0; i < 1000; i++) {
      const file = join(many, `file ${i}`);
      if (i % 2 === 0) writeFileSync(file, String(i));
      questions.push({ of: "path", path: file, want: ["stat", "hash"] });
    }
    const output = runScript(argv, compileQuestions(questions));
    const answers = readAnswers(output, questions).map((answer) => value(answer, "path"));
    expect(answers.filter(({ sha256: hash }) => hash !== undefined)).toHaveLength(500);
    expect(answers[998]?.sha256).toBe(sha256(Buffer.from("998")));
    expect(output.elapsedMs).toBeLessThan(1000);
    console.info(`${name}: 1,000 paths ${output.elapsedMs.toFixed(1)} ms`);
  });

  test("twenty thousand long paths stay clear of the argument limit", () => {
    const questions = Array.from(
      { length: 20_000 },
      (_, i): Question => ({
        of: "path",
        path: `/nowhere/${"x".repeat(80)}/${i}`,
        want: ["stat"],
      }),
    );
    const script = compileQuestions(questions).script;
    const [program, ...args] = argv;
    const run = spawnSync(program ?? "sh", args, { input: script, maxBuffer: 1e8 });
    expect(readAnswers(run, questions).every((answer) => !value(answer, "path").stat.exists)).toBe(true);
  });

  test("a script keeps its arguments, both streams and its code apart", () => {
    const sh = `printf '%s|' "$@"; printf '\\000\\377\\n' >&2; exit 7`;
    const answers = ask(argv, [
      { of: "script", sh, args: ["it's", "", "a  b"] },
      { of: "script", sh: "if then", args: [] },
      { of: "script", sh: "cat; cd /; exit", args: [] },
    ]);
    expect(value(answers[0], "script")).toMatchObject({ code: 7, stdout: Buffer.from("it's||a  b|") });
    expect(Buffer.from(value(answers[0], "script").stderr).equals(Buffer.from([0, 255, 10]))).toBe(true);
    expect(value(answers[1], "script").code).toBe(2);
    expect(value(answers[2], "script")).toMatchObject({ code: 0, stdout: Buffer.alloc(0) });
  });

  test("users and groups are read from the files, absent ones are absent", () => {
    const answers = ask(argv, [
      { of: "user", name: "root" },
      { of: "user", name: "no-such-user" },
      { of: "user", name: "bad:name" },
      { of: "group", name: "daemon" },
      { of: "group", name: "no-such-group" },
    ]);
    expect(value(answers[0], "user")).toMatchObject({
      exists: true,
      uid: 0,
      gid: 0,
      home: "/root",
      primaryGroup: "root",
    });
    expect(value(answers[1], "user")).toEqual({ exists: false });
    expect(value(answers[2], "user")).toEqual({ exists: false });
    expect(value(answers[3], "group")).toMatchObject({ exists: true, gid: 1 });
    expect(value(answers[4], "group")).toEqual({ exists: false });
  });

  test("packages are asked of dpkg, and candidates only when wanted", () => {
    const questions: Question[] = [
      { of: "package", name: "bash" },
      { of: "package", name: "no-such-package" },
      { of: "package", name: "Bad Name" },
    ];
    const answers = ask(argv, questions);
    expect(value(answers[0], "package")).toMatchObject({
      installed: true,
      version: expect.stringMatching(/^5/),
    });
    expect(value(answers[0], "package").candidate).toBeUndefined();
    expect(value(answers[1], "package")).toEqual({ installed: false });
    expect(value(answers[2], "package")).toEqual({ installed: false });
    expect(compileQuestions(questions).script).not.toContain("\nPC bash");
  });

  // busybox prefers its own applets to what stands in PATH.
  test.skipIf(name === "busybox sh")("a host whose stat knows no -c is read through ls", () => {
    const bin = join(folder, `old-${name}`);
    mkdirSync(bin);
    writeFileSync(join(bin, "stat"), "#!/bin/sh\necho 'stat: invalid option -- c' >&2; exit 1\n", {
      mode: 0o755,
    });
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const answers = ask(argv, [path("plain", ["stat", "hash"]), path("missing", ["stat"])], env);
    expect(value(answers[0], "path")).toMatchObject({
      stat: { type: "file", mode: 0o4751, size: 256, uid: 0, owner: "root" },
      sha256: sha256(all),
    });
    expect(value(answers[1], "path")).toEqual({ stat: { exists: false } });
  });

  test("a path that may not be looked at is denied, not absent", () => {
    const secret = join(folder, `secret-${name}`);
    mkdirSync(secret, { mode: 0o700 });
    writeFileSync(join(secret, "inside"), "x");
    writeFileSync(join(folder, `closed-${name}`), "x", { mode: 0o600 });
    chmodSync(folder, 0o755);
    const questions = [
      path(`secret-${name}/inside`, ["stat"]),
      path(`closed-${name}`, ["stat", "content", "hash"]),
      path("missing", ["stat"]),
    ];
    const run = runScript(
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...argv],
      compileQuestions(questions),
    );
    const answers = readAnswers(run, questions).map((answer) => value(answer, "path"));
    expect(answers.map(({ denied }) => denied)).toEqual([true, true, undefined]);
  });
});
