/** `provision runtime CPU`: makes the archive for hosts of another CPU than this machine's ready, once. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cpu, prepareRuntime } from "../cluster/runtime/prepare-runtime.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { badUsage, describeOptions, parseOptions } from "./parse-options.ts";
import { cpuOf, runtimeCacheDir } from "./runtime-vars.ts";

const cpuNamed = (name: string | undefined): Cpu => {
  const cpu =
    name === undefined ? undefined : (cpuOf[name] ?? Object.values(cpuOf).find((known) => known === name));
  if (cpu === undefined) {
    throw badUsage(
      name === undefined ? "no CPU is named" : `"${name}" is no CPU`,
      "it is x86_64 or aarch64, as uname -m says on the host",
      "provision runtime aarch64",
    );
  }
  return cpu;
};

const specs = [{ long: "help", short: "h", help: "show this" }] as const;

export async function runtimeCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(specs, argv);
  if (options.has("help")) {
    io.stdout(`provision runtime CPU\n\n${describeOptions(specs, io.columns)}\n`);
    return exitCodes.fine;
  }
  const cpu = cpuNamed(options.rest[0]);
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
