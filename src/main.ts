/** The process: argv in, exit code out. The only process.exit of the program. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { runCommandLine } = await import("./cli/main.ts");
const exitCode = await runCommandLine(process.argv.slice(2));
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(exitCode);

/** Whoever reads through a pipe gets all of it: exiting drops what the pipe has not taken yet. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
