/** What the toolkit's own roles are told: where the daemons' archives lie. Refuses an inventory that cannot be a cluster. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ErrorCollector } from "../base/errors.ts";
import type { JsonObject, JsonValue } from "../base/json.ts";
import { type Cpu, installedNode, prepareRuntime, type Runtime } from "../cluster/runtime/prepare-runtime.ts";
import type { RunRequest } from "../provisioning/engine/run-request.ts";
import { checkClusterMasters } from "./check-cluster.ts";
import type { CliIo } from "./io.ts";

/** `uname -m` of a host → the CPU in npm's words. */
export const cpuOf: Readonly<Record<string, Cpu>> = { x86_64: "x64", aarch64: "arm64" };

export const runtimeCacheDir = (io: CliIo): string =>
  join(io.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "provision");

export async function runtimeVars(
  request: RunRequest,
  io: CliIo,
): Promise<Readonly<Record<string, JsonValue>>> {
  const errors = new ErrorCollector();
  for (const error of checkClusterMasters(request)) errors.add(error);
  errors.throwIfAny();
  const runtimes: Record<string, JsonObject> = {};
  for (const [machine, cpu] of Object.entries(cpuOf)) {
    const runtime = await runtimeAtHand(cpu, io);
    if (runtime !== undefined) runtimes[machine] = { version: runtime.version, archive: runtime.archive };
  }
  return { scheduler_runtimes: runtimes };
}

/** The runtime of this controller's CPU; another's only when its Node was fetched (`provision runtime CPU`). */
async function runtimeAtHand(cpu: Cpu, io: CliIo): Promise<Runtime | undefined> {
  const cacheDir = runtimeCacheDir(io);
  if (installedNode(io.packageRoot, cpu) === undefined && !existsSync(join(cacheDir, `fetched-${cpu}`)))
    return undefined;
  return await prepareRuntime({
    cpu,
    packageRoot: io.packageRoot,
    cacheDir,
    onProgress: (text) => io.stderr(`provision: ${text}\n`),
  });
}
