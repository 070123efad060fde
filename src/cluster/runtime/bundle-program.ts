/**
 * The command line as a bundle, in chunks so that a command loads only what it needs: a run starts 100 ms sooner than
 * from 400 TypeScript files. The package carries one (build-package.ts); a clone keeps one in .cache (build-clone.ts).
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { packageRoot } from "../../base/package-root.ts";

/** Large, native or full of paths of their own: loaded from node_modules when they are needed. */
const external = ["testcontainers", "ssh2", "node-ssh", "esbuild"];

/** Packages written for CommonJS look for `require` inside an ES module bundle. */
export const requireBanner = {
  js: 'import { createRequire as provisionCreateRequire } from "node:module"; const require = provisionCreateRequire(import.meta.url);',
};

export const mainFile = "main.mjs";

/**
 * Writes the bundle into `outdir`, main.mjs last. Chunks are named by their content, so a program that runs from an older
 * bundle still finds the chunks it has yet to load. main.mjs is dated to the start of the build: a source that is saved in
 * the meantime is newer.
 */
export async function bundleProgram(outdir: string): Promise<void> {
  const startedAt = new Date();
  const { outputFiles } = await build({
    entryPoints: { main: join(packageRoot, "src/main.ts") },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    external,
    legalComments: "none",
    banner: requireBanner,
    logLevel: "silent",
  });
  await mkdir(outdir, { recursive: true });
  const isMain = (path: string): boolean => basename(path) === mainFile;
  for (const file of outputFiles) {
    if (!isMain(file.path) && !existsSync(file.path)) await writeWhole(file.path, file.contents);
  }
  const main = outputFiles.find((file) => isMain(file.path));
  if (main === undefined) throw new Error("esbuild gave no main.mjs");
  await writeWhole(main.path, main.contents, startedAt);
  await removeOldChunks(outdir, new Set(outputFiles.map((file) => basename(file.path))), startedAt);
}

async function writeWhole(path: string, contents: Uint8Array, date?: Date): Promise<void> {
  const part = `${path}.${process.pid}`;
  await writeFile(part, contents, { flush: true });
  if (date !== undefined) await utimes(part, date, date);
  await rename(part, path);
}

/** No run lasts longer than this. */
const chunkLifeMs = 24 * 3_600_000;

async function removeOldChunks(outdir: string, used: ReadonlySet<string>, now: Date): Promise<void> {
  for (const name of await readdir(outdir)) {
    const path = join(outdir, name);
    if (!used.has(name) && now.getTime() - (await stat(path)).mtimeMs > chunkLifeMs)
      await rm(path, { force: true });
  }
}
