/** Node for hosts of another CPU than the controller's, which npm skips: by `npm pack`, checked against the lock file. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import { runProgram } from "./run-program.ts";

export interface NodePackage {
  readonly name: string;
  readonly version: string;
  /** As package-lock.json has it: "sha512-<base64>". */
  readonly integrity: string;
  readonly cacheDir: string;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** The path of its bin/node. */
export async function fetchNodePackage(wanted: NodePackage): Promise<string> {
  const home = join(wanted.cacheDir, `${wanted.name}-${wanted.version}`);
  const file = join(home, "package", "bin", "node");
  if (existsSync(file)) return file;
  wanted.onProgress?.(`fetching ${wanted.name}@${wanted.version} for hosts of that CPU (once)`);
  const work = `${home}.${randomBytes(6).toString("hex")}`;
  await mkdir(work, { recursive: true });
  try {
    const tarball = await pack(wanted, work);
    await check(wanted, tarball);
    await runProgram("tar", ["-C", work, "-xzf", tarball]);
    await rm(tarball);
    await rename(work, home);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return file;
}

async function pack({ name, version }: NodePackage, work: string): Promise<string> {
  try {
    const printed = await runProgram("npm", ["pack", "--silent", `${name}@${version}`], { cwd: work });
    return join(work, printed.trim().split("\n").at(-1) ?? "");
  } catch (cause) {
    throw new ProvisionError({
      code: "missing-file",
      action: `fetch Node for hosts of another CPU ("${name}")`,
      state: "npm pack failed",
      why: "a controller carries only the Node of its own CPU; the other comes from the npm registry, once",
      fix: `npm pack ${name}@${version}`,
      cause,
    });
  }
}

async function check({ name, integrity }: NodePackage, tarball: string): Promise<void> {
  const [algorithm = "", wanted = ""] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm)
    .update(await readFile(tarball))
    .digest("base64");
  if (found === wanted) return;
  throw new ProvisionError({
    code: "bad-argument",
    action: `use the package "${name}"`,
    state: `its hash is "${algorithm}-${found}", not the locked "${integrity}"`,
    why: "hosts only get a Node whose hash is known",
  });
}
