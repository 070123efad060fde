/** `--limit @failed`: which hosts failed last time with these playbooks and this inventory. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import type { CliIo } from "./io.ts";

function stateFile(io: CliIo, playbooks: readonly string[], sources: readonly string[]): string {
  const state = io.env["XDG_STATE_HOME"];
  const home =
    state === undefined || state === "" ? join(io.env["HOME"] ?? homedir(), ".local/state") : state;
  const paths = [...playbooks, ...sources].map((path) => resolve(io.cwd, path));
  const name = createHash("sha256").update(JSON.stringify(paths)).digest("hex").slice(0, 24);
  return join(home, "provision/failed", name);
}

export function resolveFailed(
  io: CliIo,
  playbooks: readonly string[],
  sources: readonly string[],
): readonly string[] {
  try {
    const names = readFileSync(stateFile(io, playbooks, sources), "utf8")
      .split("\n")
      .filter((name) => name !== "");
    if (names.length > 0) return names;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  throw new ProvisionError({
    code: "no-hosts",
    action: "read --limit @failed",
    state: "no host failed in the last run of these playbooks with this inventory",
    why: "@failed are the hosts that failed or could not be reached last time",
    fix: "leave --limit out",
  });
}

/** A run that touched only some hosts leaves the others as they were. */
export function rememberFailed(
  io: CliIo,
  place: { readonly playbooks: readonly string[]; readonly sources: readonly string[] },
  outcome: { readonly failed: readonly string[]; readonly tookPart: readonly string[] },
): void {
  const file = stateFile(io, place.playbooks, place.sources);
  const before = readNames(file).filter((name) => !outcome.tookPart.includes(name));
  const names = [...new Set([...before, ...outcome.failed])];
  if (names.length === 0) {
    rmSync(file, { force: true });
    return;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${names.join("\n")}\n`);
}

function readNames(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((name) => name !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
