/**
 * `npm run build`: what the npm package holds. In dist/ the bundles of bundle-program.ts and `provision`, which starts
 * the pinned Node; roles, site.yml and the example inventories go along as they are.
 */
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../base/package-root.ts";
import { bundleProgram } from "./bundle-program.ts";
import { builtNodesFile } from "./prepare-runtime.ts";

const dist = join(packageRoot, "dist");

const launcher = `#!/bin/sh
# Starts the Node that came with this package, wherever npm put it.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd -P)
case $(uname -m) in x86_64) cpu=x64 ;; *) cpu=arm64 ;; esac
for modules in "$here/../node_modules" "$here/../.."; do
  node=$modules/node-linux-$cpu/bin/node
  [ -x "$node" ] && exec "$node" "$here/main.mjs" "$@"
done
exec node "$here/main.mjs" "$@"
`;

await rm(dist, { recursive: true, force: true });
await bundleProgram(dist);
const lock: { packages: Record<string, unknown> } = JSON.parse(
  await readFile(join(packageRoot, "package-lock.json"), "utf8"),
);
const nodes = Object.entries(lock.packages).filter(([name]) => name.startsWith("node_modules/node-linux-"));
await writeFile(join(dist, builtNodesFile), JSON.stringify({ packages: Object.fromEntries(nodes) }));
await writeFile(join(dist, "provision"), launcher);
await chmod(join(dist, "provision"), 0o755);
process.stdout.write(`dist: ${(await readdir(dist)).length} files\n`);
