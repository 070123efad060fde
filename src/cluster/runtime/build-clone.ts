/** What ./provision runs when a source of the clone is newer than its bundle. */
import { join } from "node:path";
import { packageRoot } from "../../base/package-root.ts";
import { bundleProgram } from "./bundle-program.ts";

await bundleProgram(join(packageRoot, ".cache", "program"));
