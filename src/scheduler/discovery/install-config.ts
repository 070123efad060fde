import { chmod, chown, copyFile, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { runCommand } from "./run-command.ts";

export interface InstallOptions {
  /** /etc/haproxy/haproxy.cfg */
  readonly config: string;
  /** The command that checks a file; its path is added. */
  readonly check: readonly string[];
  readonly reload: readonly string[];
}

export type Installed =
  | { readonly outcome: "unchanged" | "replaced" }
  /** The file that was there stands. */
  | { readonly outcome: "refused"; readonly by: "check" | "reload"; readonly output: string };

const checkTimeoutMs = 30_000;
const reloadTimeoutMs = 60_000;
/** Its first words tell a file of ours from one that somebody wrote. */
const ownHeader = "# Written by provision (haproxy-bridge)";

/**
 * Puts a configuration in place: checked by haproxy beside the old one, moved over it whole, reloaded. If the reload
 * fails the old one is put back, so that a restart of haproxy finds a file that it can run with.
 */
export async function installConfig(text: string, options: InstallOptions): Promise<Installed> {
  const { config } = options;
  const current = await readText(config);
  const isOwed = (await readText(owedPath(config))) !== undefined;
  if (current === text && !isOwed) return { outcome: "unchanged" };
  if (current !== text) {
    const refusal = await replace(text, current, options);
    if (refusal !== undefined) return refusal;
  }
  const reload = await runCommand(options.reload, reloadTimeoutMs);
  if (reload.isSuccess) {
    await rm(owedPath(config), { force: true });
    return { outcome: "replaced" };
  }
  if (current !== undefined && current !== text) await writeBeside(config, current, "back");
  return { outcome: "refused", by: "reload", output: reload.output };
}

/** A reload is owed from before the file is there until it has worked, however this process ends. */
const owedPath = (config: string): string => `${config}.reload-owed`;

async function replace(
  text: string,
  current: string | undefined,
  { config, check }: InstallOptions,
): Promise<Installed | undefined> {
  const temporary = `${config}.new-${process.pid}`;
  try {
    await writeLike(temporary, text, config);
    const checked = await runCommand([...check, temporary], checkTimeoutMs);
    if (!checked.isSuccess) return { outcome: "refused", by: "check", output: checked.output };
    if (current !== undefined && !current.startsWith(ownHeader)) await keepOriginal(config);
    await writeFile(owedPath(config), "");
    await rename(temporary, config);
    await syncFolder(dirname(config));
    return undefined;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Only the first time: later ones are ours or a template's. */
async function keepOriginal(config: string): Promise<void> {
  const kept = `${config}.before-provision`;
  if ((await readText(kept)) === undefined) await copyFile(config, kept);
}

async function writeBeside(config: string, text: string, suffix: string): Promise<void> {
  const temporary = `${config}.${suffix}-${process.pid}`;
  await writeLike(temporary, text, config);
  await rename(temporary, config);
  await syncFolder(dirname(config));
}

/** With the owner and mode of `like`, less what others may read: it holds the statistics page's password. */
async function writeLike(path: string, text: string, like: string): Promise<void> {
  const model = await stat(like).catch(() => undefined);
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  if (model === undefined) return;
  await chmod(path, model.mode & 0o770);
  await chown(path, model.uid, model.gid);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
