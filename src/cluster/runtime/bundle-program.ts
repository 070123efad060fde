/**
 * The command line as a bundle, in chunks so that a command loads only what it needs: a run starts 100 ms sooner than
 * from 400 TypeScript files. Beside it the daemons, as the one file that hosts run. The package carries both
 * (build-package.ts); a clone keeps both in .cache (build-clone.ts).
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { packageRoot } from "../../base/package-root.ts";
import { daemonsFile } from "./prepare-runtime.ts";

/** Large, native or full of paths of their own: loaded from node_modules when they are needed. */
const external = ["testcontainers", "esbuild"];

const common = {
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  format: "esm",
  legalComments: "none",
  // The output names its sources relative to this: the same bytes from every clone.
  absWorkingDir: packageRoot,
  // Packages written for CommonJS look for `require` inside an ES module bundle.
  banner: {
    js: 'import { createRequire as provisionCreateRequire } from "node:module"; const require = provisionCreateRequire(import.meta.url);',
  },
  logLevel: "silent",
} as const satisfies BuildOptions;

const mainFile = "main.mjs";

/**
 * Writes the bundle into `outdir`, main.mjs last. Chunks are named by their content, so a program that runs from an older
 * bundle still finds the chunks it has yet to load. main.mjs is dated to the start of the build: a source that is saved in
 * the meantime is newer.
 */
export async function bundleProgram(outdir: string): Promise<void> {
  const startedAt = new Date();
  const { outputFiles } = await build({
    ...common,
    entryPoints: { main: join(packageRoot, "src/main.ts") },
    outdir,
    outExtension: { ".js": ".mjs" },
    splitting: true,
    external,
  });
  await mkdir(outdir, { recursive: true });
  const isMain = (path: string): boolean => basename(path) === mainFile;
  for (const file of outputFiles) {
    if (!isMain(file.path) && !existsSync(file.path)) await writeWhole(file.path, file.contents);
  }
  await writeWhole(join(outdir, daemonsFile), await bundleDaemons());
  const main = outputFiles.find((file) => isMain(file.path));
  if (main === undefined) throw new Error("esbuild gave no main.mjs");
  await writeWhole(main.path, main.contents, startedAt);
  await removeOldChunks(
    outdir,
    new Set([daemonsFile, ...outputFiles.map((file) => basename(file.path))]),
    startedAt,
  );
}

export async function bundleDaemons(): Promise<Uint8Array> {
  const result = await build({
    ...common,
    entryPoints: [join(packageRoot, "src/cluster/runtime/daemon-main.ts")],
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error("esbuild gave no bundle of the daemons");
  return file.contents;
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
