/** Each mistake is told with its place, and with what to type: the golden is there to be read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { runCommandLine } from "../../src/cli/main.ts";
import { mistakes } from "../support/beginners-mistakes.ts";
import { capturedIo } from "../support/captured-io.ts";

const usual = ["localhost,", "site.yml", "--syntax-check"];

async function told(files: Readonly<Record<string, string>>, argv: readonly string[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "provision-beginner-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    }
    const io = capturedIo({ cwd: dir, env: { HOME: dir }, packageRoot: dir });
    const code = await runCommandLine(argv, io);
    const said = code === 0 ? "only seen when it runs\n" : io.errors();
    return said.replaceAll(`${dir}/`, "").replaceAll(dir, ".");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("what beginners write is refused in words that help", async () => {
  const texts: string[] = [];
  for (const [name, files, argv = usual] of mistakes) texts.push(`# ${name}\n${await told(files, argv)}`);
  const whole = texts.join("\n");
  expect(whole).not.toContain("error[defect]");
  await expect(whole).toMatchFileSnapshot("../golden/beginners-mistakes.txt");
});
