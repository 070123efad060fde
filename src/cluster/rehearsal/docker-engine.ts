/** Makes sure that a Docker Engine answers on this machine: found, started, or installed from the distribution. */
import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ProvisionError } from "../../base/errors.ts";
import { ProgramFailed, runProgram } from "../runtime/run-program.ts";
import type { Say } from "./say.ts";

const engineStartTimeoutMs = 60_000;
const engineProbeMs = 500;

/** What this user can do with the Docker Engine of this machine. `denied`: it runs, for others. */
export type EngineAccess = "usable" | "denied" | "absent";

export async function ensureDockerEngine(say: Say): Promise<void> {
  const access = await engineAccess();
  if (access === "usable") return;
  if (access === "denied") throw deniedEngine();
  if (!existsSync("/usr/bin/dockerd") && !existsSync("/usr/sbin/dockerd")) await install(say);
  if (await answers()) return;
  await start(say);
}

export async function engineAccess(): Promise<EngineAccess> {
  try {
    await runProgram("docker", ["version", "--format", "{{.Server.Version}}"]);
    return "usable";
  } catch (error) {
    if (error instanceof ProgramFailed) return /permission denied/i.test(error.output) ? "denied" : "absent";
    if (isMissingProgram(error)) return "absent";
    throw error;
  }
}

const answers = async (): Promise<boolean> => (await engineAccess()) === "usable";

const isMissingProgram = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

const isRoot = (): boolean => process.getuid?.() === 0;

/** A command as root: as it is, or through sudo. */
async function asRoot(argv: readonly string[], fix: string): Promise<void> {
  const [program = "", ...args] = isRoot() ? argv : ["sudo", "--", ...argv];
  try {
    await runProgram(program, args, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } catch (cause) {
    throw new ProvisionError({
      code: "no-docker",
      action: "start the hosts of the rehearsal",
      state: `no Docker Engine answers here, and "${argv.join(" ")}" failed${lastLine(cause)}`,
      why: "a rehearsal runs its hosts as Docker containers; installing and starting Docker needs root",
      fix,
      cause,
    });
  }
}

const lastLine = (cause: unknown): string =>
  cause instanceof ProgramFailed ? `: ${cause.output.split("\n").at(-1)}` : "";

async function install(say: Say): Promise<void> {
  say("Docker Engine is missing: installing docker.io from the distribution (about a minute, once)");
  const fix = "sudo apt-get install docker.io";
  await asRoot(["apt-get", "-qq", "update"], fix);
  await asRoot(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "docker.io", "iptables"], fix);
}

async function start(say: Say): Promise<void> {
  const fix = "sudo systemctl start docker   (and: sudo usermod -aG docker $USER, then log in again)";
  if (existsSync("/run/systemd/system")) {
    say("starting the Docker Engine with systemctl");
    await asRoot(["systemctl", "start", "docker"], fix);
  } else {
    say("starting the Docker Engine by hand, as no init runs here (log: /var/log/dockerd.log)");
    startByHand(fix);
  }
  const deadline = performance.now() + engineStartTimeoutMs;
  while (!(await answers())) {
    if (performance.now() > deadline) throw silentEngine(fix);
    await sleep(engineProbeMs);
  }
}

function startByHand(fix: string): void {
  if (!isRoot()) throw silentEngine(fix);
  const log = openSync("/var/log/dockerd.log", "a");
  spawn("dockerd", [], { detached: true, stdio: ["ignore", log, log] }).unref();
}

const silentEngine = (fix: string): ProvisionError =>
  new ProvisionError({
    code: "no-docker",
    action: "start the hosts of the rehearsal",
    state: "no Docker Engine answers here",
    why: "a rehearsal runs its hosts as Docker containers; the engine must run, and this user must be allowed to use it",
    fix,
  });

const deniedEngine = (): ProvisionError =>
  new ProvisionError({
    code: "no-docker",
    action: "start the hosts of the rehearsal",
    state: "the Docker Engine refuses this user",
    why: "a rehearsal runs its hosts as Docker containers",
    fix: "sudo usermod -aG docker $USER   (then log in again), or run it with sudo",
  });
