/** `provision runtime CPU`: makes the archive for hosts of another CPU than this machine's ready, once. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cpu, prepareRuntime } from "../cluster/runtime/prepare-runtime.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { badUsage } from "./parse-options.ts";
import { cpuOf, runtimeCacheDir } from "./runtime-vars.ts";

const cpuNamed = (name: string | undefined): Cpu => {
  const cpu =
    name === undefined ? undefined : (cpuOf[name] ?? Object.values(cpuOf).find((known) => known === name));
  if (cpu === undefined) {
    throw badUsage(
      `"${name ?? ""}" is no CPU`,
      "it is x86_64 or aarch64, as uname -m says on the host",
      "provision runtime aarch64",
    );
  }
  return cpu;
};

export async function runtimeCommand([name]: readonly string[], io: CliIo): Promise<number> {
  const cpu = cpuNamed(name);
  const cacheDir = runtimeCacheDir(io);
  await mkdir(cacheDir, { recursive: true });
  const { version, archive } = await prepareRuntime({
    cpu,
    packageRoot: io.packageRoot,
    cacheDir,
    onProgress: (text) => io.stderr(`provision: ${text}\n`),
  });
  await writeFile(join(cacheDir, `fetched-${cpu}`), `${version}\n`);
  io.stdout(`${version} ${archive}\n`);
  return exitCodes.fine;
}
