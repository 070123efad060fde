/** A real sshd of one's own on a loopback port: own host key, own authorized keys, no PAM; ended by its process id. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Sshd {
  readonly port: number;
  readonly folder: string;
  readonly hostKey: string;
  /** Lines of its log. */
  log(): string;
  stop(): Promise<void>;
}

export function makeKey(file: string, type = "ed25519", passphrase = ""): string {
  spawnSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", file]);
  return readFileSync(`${file}.pub`, "utf8");
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
  });

/** `authorized` are public keys that may log in as root. */
export async function startSshd(
  authorized: readonly string[],
  options: readonly string[] = [],
  usePort?: number,
): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), "provision-sshd-"));
  const port = usePort ?? (await freePort());
  const hostKey = makeKey(join(folder, "host"));
  writeFileSync(join(folder, "authorized"), authorized.join(""), { mode: 0o600 });
  const lines = [
    ...[
      `HostKey ${folder}/host`,
      `AuthorizedKeysFile ${folder}/authorized`,
      `PidFile ${folder}/pid`,
      "StrictModes no",
    ],
    ...["UsePAM no", "PermitRootLogin yes", `ListenAddress 127.0.0.1:${port}`, ...options],
  ];
  writeFileSync(join(folder, "config"), `${lines.join("\n")}\n`);
  mkdirSync("/run/sshd", { recursive: true });
  const child = spawn("/usr/sbin/sshd", ["-D", "-f", join(folder, "config"), "-E", join(folder, "log")]);
  for (let i = 0; !(await answers(port)); i++) {
    if (i > 100) throw new Error(`sshd did not start: ${readFileSync(join(folder, "log"), "utf8")}`);
    await sleep(20);
  }
  return {
    port,
    folder,
    hostKey,
    log: () => readFileSync(join(folder, "log"), "utf8"),
    stop: () => stop(child, folder),
  };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
