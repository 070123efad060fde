import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CliIo } from "../../../src/cli/io.ts";
import { runCommandLine } from "../../../src/cli/main.ts";
import { vaultCommand } from "../../../src/cli/vault.ts";
import { encryptVault, Vault } from "../../../src/provisioning/vars/vault/vault.ts";
import { capturedIo } from "../../support/captured-io.ts";
import fc from "../../support/property.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "provision-vault-law-"));
  writeFileSync(join(folder, "pass"), "s3cret pass\n");
  writeFileSync(join(folder, "other"), "another\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ansible(...args: readonly string[]): string {
  const run = spawnSync("ansible-vault", args, { cwd: folder, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}

interface Heard {
  stdout: string;
  stderr: string;
}
async function provision(
  argv: readonly string[],
  more: { stdin?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Heard> {
  const heard: Heard = { stdout: "", stderr: "" };
  const io: CliIo = {
    stdout: (text) => {
      heard.stdout += text;
    },
    stderr: (text) => {
      heard.stderr += text;
    },
    env: { HOME: folder, ...more.env },
    isTTY: false,
    canAsk: false,
    columns: 80,
    colour: false,
    cwd: folder,
    packageRoot: folder,
    prompt: () => Promise.reject(new Error("no terminal")),
    readStdin: () => Promise.resolve(Buffer.from(more.stdin ?? "")),
    signal: new AbortController().signal,
  };
  expect(await vaultCommand(argv, io)).toBe(0);
  return heard;
}
const file = (name: string, content?: string): string => {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};
const text = "user: admin\npassword: ünï & 'x'\n";

describe("vault files that tasks send", () => {
  const noise = (bytes: number): Buffer =>
    Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 7919) >> 3));
  const sent = async (options: readonly string[]): Promise<{ code: number; out: string }> => {
    const io = capturedIo({ env: { HOME: folder, PATH: process.env["PATH"] }, cwd: folder });
    const code = await runCommandLine(["localhost,", "send.yml", "-c", "local", "--plain", ...options], io);
    return { code, out: io.output() };
  };
  beforeAll(() => {
    mkdirSync(join(folder, "tree"));
    const files = { small: noise(999), large: noise(200_000), "tree/inner": Buffer.from("inner") };
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(folder, name), bytes);
      writeFileSync(join(folder, `${name}.clear`), bytes);
      ansible("encrypt", name, "--vault-id", "prod@pass");
    }
    const copies = ["small", "large", "tree/"].map(
      (src) => `    - copy: {src: ${src}, dest: ${folder}/out/${src}}\n`,
    );
    file(
      "send.yml",
      `- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {path: ${folder}/out, state: directory}\n${copies.join("")}    - copy: {src: small, dest: ${folder}/out/kept, decrypt: false}\n`,
    );
  });

  test("travel opened, byte for byte, however large, also in folders; with decrypt: false as they are", async () => {
    expect((await sent(["--vault-id", "prod@pass"])).code).toBe(0);
    for (const name of ["small", "large", "tree/inner"])
      expect(readFileSync(file(`out/${name}`)).equals(readFileSync(file(`${name}.clear`)))).toBe(true);
    expect(readFileSync(file("out/kept"), "latin1")).toMatch(/^\$ANSIBLE_VAULT;1\.2;AES256;prod\n/);
  });

  test.each([
    [[], "no vault password was given"],
    [["--vault-id", "prod@other"], 'none of the passwords given opens it ("prod")'],
  ])("never travel closed: %j", async (options, said) => {
    rmSync(file("out"), { recursive: true, force: true });
    const { code, out } = await sent(options);
    expect([code, existsSync(file("out/small"))]).toEqual([2, false]);
    expect(out).toContain("small:1:1: error[vault-locked]");
    expect(out).toContain(said);
    expect(out).toContain("--vault-id prod@FILE");
  });
});

describe("ansible-vault and ours", () => {
  test("ansible-vault opens what we encrypt, with and without an id", async () => {
    await provision(["encrypt", file("a.yml", text), "--vault-password-file", "pass"]);
    expect(readFileSync(file("a.yml"), "utf8")).toMatch(/^\$ANSIBLE_VAULT;1\.1;AES256\n/);
    expect(ansible("view", "a.yml", "--vault-password-file", "pass")).toBe(text);
    await provision(["encrypt", file("b.yml", text), "--vault-id", "prod@pass"]);
    expect(readFileSync(file("b.yml"), "utf8")).toMatch(/^\$ANSIBLE_VAULT;1\.2;AES256;prod\n/);
    expect(ansible("view", "b.yml", "--vault-id", "prod@pass")).toBe(text);
  });

  test("we open what ansible-vault encrypts", async () => {
    file("c.yml", text);
    ansible("encrypt", "c.yml", "--vault-id", "dev@pass");
    const seen = await provision(["view", "c.yml", "--vault-id", "x@other", "--vault-id", "dev@pass"]);
    expect(seen.stdout).toBe(text);
  });

  test("an inline value goes both ways", async () => {
    const ours = await provision([
      "encrypt-string",
      "pa ss",
      "--name",
      "key",
      "--vault-password-file",
      "pass",
    ]);
    file(
      "inline.yml",
      `- hosts: localhost\n  connection: local\n  gather_facts: false\n  vars:\n    ${ours.stdout.replaceAll("\n", "\n    ")}\n  tasks:\n    - debug: msg="<{{ key }}>"\n`,
    );
    const run = spawnSync("ansible-playbook", ["inline.yml", "--vault-password-file", "pass"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(run.stdout).toContain("<pa ss>");
    const theirs = ansible("encrypt_string", "zz top", "--vault-password-file", "pass");
    const secret = { id: "default", password: () => Buffer.from("s3cret pass") };
    const value = theirs.replace("!vault |", "").replace(/^ +/gm, "").trim();
    expect(new Vault([secret]).openText(value)).toBe("zz top");
  });

  test("rekey changes the password and the id; decrypt writes the text back and keeps the mode", async () => {
    chmodSync(file("d.yml", text), 0o640);
    await provision(["encrypt", "d.yml", "--vault-password-file", "pass"]);
    await provision(["rekey", "d.yml", "--vault-password-file", "pass", "--new-vault-id", "new@other"]);
    expect(ansible("view", "d.yml", "--vault-id", "new@other")).toBe(text);
    await provision(["decrypt", "d.yml", "--vault-id", "new@other"]);
    expect(readFileSync(file("d.yml"), "utf8")).toBe(text);
    expect(statSync(file("d.yml")).mode & 0o777).toBe(0o640);
  });

  test("edit hands the text to the editor and leaves no plaintext behind", async () => {
    await provision(["encrypt", file("e.yml", text), "--vault-password-file", "pass"]);
    writeFileSync(join(folder, "editor"), '#!/bin/sh\necho "$1" > where\necho "more: 1" >> "$1"\n', {
      mode: 0o755,
    });
    await provision(["edit", "e.yml", "--vault-password-file", "pass"], {
      env: { EDITOR: join(folder, "editor") },
    });
    expect(ansible("view", "e.yml", "--vault-password-file", "pass")).toBe(`${text}more: 1\n`);
    const where = readFileSync(file("where"), "utf8").trim();
    expect(statSync(where, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("create writes a new file, readable by its owner alone", async () => {
    writeFileSync(join(folder, "editor"), '#!/bin/sh\necho "made: 1" > "$1"\n', { mode: 0o755 });
    await provision(["create", "f.yml", "--vault-password-file", "pass"], {
      env: { EDITOR: join(folder, "editor") },
    });
    expect(ansible("view", "f.yml", "--vault-password-file", "pass")).toBe("made: 1\n");
    expect(statSync(file("f.yml")).mode & 0o777).toBe(0o600);
  });

  test("a password program is run, and a client is told the id", async () => {
    writeFileSync(join(folder, "ask-client"), '#!/bin/sh\n[ "$2" = dev ] && echo "s3cret pass"\n', {
      mode: 0o755,
    });
    await provision(["encrypt", file("g.yml", text), "--vault-id", "dev@ask-client"]);
    expect(ansible("view", "g.yml", "--vault-id", "dev@pass")).toBe(text);
  });

  test("standard input to standard output", async () => {
    const sealed = await provision(["encrypt", "--vault-password-file", "pass"], { stdin: "hi" });
    const opened = await provision(["decrypt", "--vault-password-file", "pass"], { stdin: sealed.stdout });
    expect(opened.stdout).toBe("hi");
  });
});

test("any bytes come back, and one changed digit is noticed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (bytes, at) => {
      const secret = { id: "default", password: () => Buffer.from("p") };
      const sealed = encryptVault(bytes, secret);
      expect(Buffer.compare(new Vault([secret]).open(sealed).plaintext, bytes)).toBe(0);
      const body = sealed.indexOf("\n") + 1;
      const place = body + (at % (sealed.length - body - 1));
      if (sealed[place] === "\n") return;
      const changed = sealed.slice(0, place) + (sealed[place] === "3" ? "4" : "3") + sealed.slice(place + 1);
      expect(() => new Vault([secret]).open(changed)).toThrow();
    }),
    { numRuns: 40 },
  );
});
