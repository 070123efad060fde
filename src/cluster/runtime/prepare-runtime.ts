/**
 * The archive that hosts get: the daemons as one bundle and the Node that runs them, named by a hash of what goes in, so
 * that an unchanged one is neither made nor sent again.
 *
 * In: the bundle of the daemons, which lies beside the bundled program (bundle-program.ts; made anew where the program
 * runs from its sources), and the file bin/node of the npm package node-linux-<cpu>. Out: <cache>/runtime-<version>.tar.gz, holding the one folder ".<version>.part", which role
 * scheduler-runtime renames when it is whole. No host is touched here.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, statSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ProvisionError } from "../../base/errors.ts";
import { runProgram } from "./run-program.ts";

export type Cpu = "x64" | "arm64";

export interface RuntimeRequest {
  readonly cpu: Cpu;
  /** The folder with package.json, src/ and node_modules/. */
  readonly packageRoot: string;
  readonly cacheDir: string;
  /** Told once when the archive has to be made. */
  readonly onProgress?: ((text: string) => void) | undefined;
}
export interface Runtime {
  /** 16 hex digits. */
  readonly version: string;
  readonly archive: string;
}

/** What hosts run; beside main.mjs in a bundle. */
export const daemonsFile = "daemons.mjs";

/** What the layout of the archive is; a change of it makes every host take the runtime anew. */
const layoutVersion = "2";
const programs = ["mesos-master", "mesos-slave", "marathon", "haproxy-bridge"];

export async function prepareRuntime(request: RuntimeRequest): Promise<Runtime> {
  const node = await nodeBinary(request);
  const daemons = await daemonBundle();
  const version = runtimeVersion(request.cpu, node.integrity, daemons);
  const archive = join(request.cacheDir, `runtime-${version}.tar.gz`);
  if (existsSync(archive)) return { version, archive };
  request.onProgress?.(`making the runtime archive ${version} (once for this version)`);
  await mkdir(request.cacheDir, { recursive: true });
  const work = join(request.cacheDir, `.work-${randomBytes(6).toString("hex")}`);
  try {
    await stage({ work, version, daemons, nodeFile: node.file });
    await pack(work, version, `${archive}.${randomBytes(6).toString("hex")}`, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await removeOldArchives(request.cacheDir);
  return { version, archive };
}

const keptArchives = 4;

/** 40 MB each, and a new one with every change of the daemons. */
async function removeOldArchives(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((name) => /^runtime-[0-9a-f]{16}\.tar\.gz$/.test(name));
  const aged = names.map((name) => ({ name, mtimeMs: statSync(join(cacheDir, name)).mtimeMs }));
  for (const { name } of aged.sort((a, b) => b.mtimeMs - a.mtimeMs).slice(keptArchives)) {
    await rm(join(cacheDir, name), { force: true });
  }
}

interface Staging {
  readonly work: string;
  readonly version: string;
  readonly daemons: Uint8Array;
  readonly nodeFile: string;
}

async function stage({ work, version, daemons, nodeFile }: Staging): Promise<void> {
  const home = join(work, `.${version}.part`);
  await mkdir(join(home, "bin"), { recursive: true });
  await cp(nodeFile, join(home, "bin", "node"));
  await writeFile(join(home, "daemons.mjs"), daemons);
  for (const program of programs)
    await writeFile(join(home, "bin", program), launcher(program), { mode: 0o755 });
  await chmod(join(home, "bin", "node"), 0o755);
}

const launcher = (program: string): string => `#!/bin/sh
home=$(dirname -- "$(dirname -- "$0")")
exec "$home/bin/node" "$home/daemons.mjs" ${program} "$@"
`;

async function pack(work: string, version: string, part: string, archive: string): Promise<void> {
  const tarFile = join(work, "runtime.tar");
  await runProgram("tar", ["-C", work, "--owner=0", "--group=0", "-cf", tarFile, `.${version}.part`]);
  await pipeline(
    createReadStream(tarFile),
    createGzip({ level: 6 }),
    createWriteStream(part, { flush: true }),
  );
  await rename(part, archive);
}

async function daemonBundle(): Promise<Uint8Array> {
  const built = join(import.meta.dirname, daemonsFile);
  if (existsSync(built)) return await readFile(built);
  const { bundleDaemons } = await import("./bundle-program.ts");
  return await bundleDaemons();
}

function runtimeVersion(cpu: Cpu, nodeIntegrity: string, daemons: Uint8Array): string {
  const hash = createHash("sha256");
  for (const part of [layoutVersion, cpu, nodeIntegrity, ...programs.map(launcher)]) hash.update(`${part}\0`);
  return hash.update(daemons).digest("hex").slice(0, 16);
}

interface NodeBinary {
  readonly file: string;
  readonly integrity: string;
}

/** Among this package's own packages in a clone, beside the package itself where npm hoisted them. */
export const installedNode = (packageRoot: string, cpu: Cpu): string | undefined =>
  [join(packageRoot, "node_modules"), join(packageRoot, "..")]
    .map((modules) => join(modules, `node-linux-${cpu}`, "bin", "node"))
    .find((file) => existsSync(file));

async function nodeBinary({ cpu, packageRoot, cacheDir, onProgress }: RuntimeRequest): Promise<NodeBinary> {
  const name = `node-linux-${cpu}`;
  const integrity = await lockedIntegrity(packageRoot, name);
  const installed = installedNode(packageRoot, cpu);
  if (installed !== undefined) return { file: installed, integrity: integrity.sha };
  const { fetchNodePackage } = await import("./fetch-node-package.ts");
  return {
    file: await fetchNodePackage({
      name,
      version: integrity.version,
      integrity: integrity.sha,
      cacheDir,
      onProgress,
    }),
    integrity: integrity.sha,
  };
}

/** Which Node a host gets: package-lock.json in a clone; npm leaves that out of a package, so the build copies it. */
export const builtNodesFile = "node-runtimes.json";

interface LockedPackage {
  readonly integrity?: string;
  readonly version?: string;
}

async function lockedIntegrity(packageRoot: string, name: string): Promise<{ sha: string; version: string }> {
  const lockFile = join(packageRoot, "package-lock.json");
  const file = existsSync(lockFile) ? lockFile : join(packageRoot, "dist", builtNodesFile);
  const lock: { packages?: Record<string, LockedPackage> } = JSON.parse(await readFile(file, "utf8"));
  const entry = lock.packages?.[`node_modules/${name}`];
  if (entry?.integrity === undefined || entry.version === undefined) {
    throw new ProvisionError({
      code: "missing-file",
      action: "make the runtime for the hosts",
      state: `"${file}" pins no integrity for the package "${name}"`,
      why: "hosts only get a Node whose hash is known",
      fix: "git checkout package-lock.json",
    });
  }
  return { sha: entry.integrity, version: entry.version };
}
