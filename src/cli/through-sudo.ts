/** The same command line once more, as root: on this terminal, so that sudo itself can ask for its password. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import { type CliIo, exitCodes } from "./io.ts";

export async function throughSudo(argv: readonly string[], io: CliIo): Promise<number> {
  io.stderr("provision: the Docker Engine is not this user's to use: going on through sudo\n");
  if ((await runSudo(["-v"])) !== 0) throw refused(argv);
  const main = process.argv[1] ?? join(io.packageRoot, "src", "main.ts");
  return await runSudo(["--", process.execPath, ...process.execArgv, main, ...argv]);
}

/** Its exit code. What ends it by a signal was sent to us too. */
function runSudo(args: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn("sudo", [...args], { stdio: "inherit" });
  child.on("error", () => resolve(exitCodes.nothingRun));
  child.on("close", (code) => resolve(code ?? exitCodes.interrupted));
  return promise;
}

const refused = (argv: readonly string[]): ProvisionError =>
  new ProvisionError({
    code: "no-docker",
    action: `run "provision ${argv[0]}"`,
    state: "no Docker Engine answers this user, and sudo refuses",
    why: "a rehearsal runs its hosts as Docker containers; installing, starting and using the engine needs root or the group docker",
    fix: "sudo apt-get install docker.io && sudo usermod -aG docker $USER   (then log in again)",
  });
