import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compileFiles } from "../../../src/provisioning/host/compile-files.ts";
import { compileStep } from "../../../src/provisioning/host/compile-step.ts";
import { shells } from "./shells.ts";

/** What setfacl -d -m u:1:rwx writes; most machines have no setfacl. */
const openToOthers = `import os, struct, sys
def entry(tag, perm, who=0xffffffff): return struct.pack("<HHI", tag, perm, who)
acl = struct.pack("<I", 2) + entry(1, 7) + entry(2, 7, 1) + entry(4, 5) + entry(16, 7) + entry(32, 0)
os.setxattr(sys.argv[1], "system.posix_acl_default", acl)`;

/** A folder whose access list gives everything that is made in it to somebody else, whatever the umask says. */
function newFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "provision-secret-"));
  spawnSync("python3", ["-c", openToOthers, made], { stdio: "ignore" });
  return made;
}
const canListAccess = ((): boolean => {
  const made = newFolder();
  writeFileSync(join(made, "x"), "", { mode: 0o660 });
  const isOpen = modeOf(join(made, "x")) === "660";
  rmSync(made, { recursive: true });
  return isOpen;
})();

let folder = "";
beforeEach(() => {
  folder = newFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const until = async <T>(look: () => T | undefined): Promise<T> => {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    await sleep(2);
  }
};

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** With an access list the group's bits are what others may do at most. */
describe.runIf(canListAccess).each(shells)("where a folder opens its files to others, $name", ({ argv }) => {
  const [program, ...words] = argv;
  const path = (): string => join(folder, "file");
  const start = (script: string) =>
    spawn(program, [...words, "-c", script], { stdio: ["pipe", "ignore", "ignore"] });

  test("nobody reads what is being written, nor afterwards what its mode keeps from them", async () => {
    const bytes = new Uint8Array(10);
    const step = { do: "write", why: "write", path: path(), from: { bytes }, mode: "0600" } as const;
    const child = start(compileStep(step).script);
    child.stdin.write("half a secret");
    const name = await until(() => readdirSync(folder).find((each) => statSync(join(folder, each)).size > 0));
    expect(modeOf(join(folder, name))).toBe("600");
    child.stdin.end();
    await once(child, "close");
    expect(modeOf(path())).toBe("600");
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  test("a write that is ended leaves nothing", async () => {
    const step = { do: "write", why: "write", path: path(), from: { bytes: new Uint8Array(10) } } as const;
    const child = spawn(program, [...words, "-c", compileStep(step).script], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    child.stdin.on("error", () => undefined);
    child.stdin.write("half");
    await until(() => readdirSync(folder)[0]);
    process.kill(-(child.pid ?? 0), "SIGTERM");
    await once(child, "close");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("many at once lie in a folder that only their maker enters", async () => {
    const step = {
      do: "write",
      why: "write",
      path: path(),
      from: { bytes: Buffer.from("x") },
      mode: "0600",
    } as const;
    const script = compileFiles([{ step, bytes: step.from.bytes, before: "nothing" }]);
    const seen = join(folder, "seen");
    const spied = script.replace("trap 'cd", `stat -c %a "$w" >'${seen}'; trap 'cd`);
    expect(spied).not.toBe(script);
    await once(start(spied), "close");
    expect(readFileSync(seen, "utf8")).toBe("700\n");
    expect(modeOf(path())).toBe("600");
  });
});
