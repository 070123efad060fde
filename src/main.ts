/** The process: argv in, exit code out. The only process.exit of the program. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { runCommandLine } = await import("./cli/main.ts");
process.exit(await runCommandLine(process.argv.slice(2)));
