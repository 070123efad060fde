/**
 * Two machines for tests of the engine, made in 20 ms and thrown away: the real sh and the real programs of this one,
 * each in mount and UTS namespaces of its own, with a layer of its own over /etc, /var/lib, /root and /run. What a
 * playbook does to users, packages, services, mounts and files is done, but nobody else sees it. Only apt-get is ours (it
 * writes dpkg's database and nothing else), and one init script. Needs root.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseSession } from "../../src/provisioning/transport/base-session.ts";
import { spawnChannel } from "../../src/provisioning/transport/local-channel.ts";
import { directNetwork } from "../../src/provisioning/transport/network.ts";
import type { Become, OpenSession, Session, Shell } from "../../src/provisioning/transport/session.ts";
import { newFolder } from "./run-playbook.ts";

export const canMakeWorlds = (): boolean => {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["-m", "-u", "sh", "-c", "mount -t tmpfs none /mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

const aptGet = `#!/bin/sh
# apt-get of the small world: only dpkg's database says what is installed.
v= n=; while [ $# -gt 0 ]; do case $1 in -o) shift;; -*) ;; install|remove|purge|update) v=$1;; *) n="$n $1";; esac; shift; done
s=/var/lib/dpkg/status
for p in $n; do
awk -v p="$p" 'BEGIN { RS = ""; ORS = "\\n\\n" } $0 !~ "^Package: " p "\\n"' $s >$s.t && cp $s.t $s && rm $s.t
[ $v != install ] || printf 'Package: %s\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: all\\nVersion: 1\\nDescription: x\\n\\n' "$p" >>$s
done
`;
const initScript = `#!/bin/sh
### BEGIN INIT INFO
# Provides: pvsvc
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
case $1 in start) touch /run/pvsvc;; stop) rm -f /run/pvsvc;; restart) touch /run/pvsvc;; status) [ -e /run/pvsvc ] || exit 3; exit 0;; esac
echo "$1" >>/run/pvsvc.log
`;
/** $1 folder of the case, $2 the machine's name, $3 its id. */
const setup = `set -e; mount -t tmpfs none "$1/layers"; hostname "$2"; cd "$1/layers"
for f in etc var/lib root; do mkdir -p "$f/up" "$f/work"; mount -t overlay -o "lowerdir=/$f,upperdir=$f/up,workdir=$f/work" none "/$f"; done
mount -t tmpfs none /run; mkdir -p /run/lock; printf %s "$3" >/etc/machine-id; mkdir -p /var/lib/provision /etc/init.d; mount -t tmpfs none /var/lib/provision
cp "$1/init" /etc/init.d/pvsvc; chmod 755 /etc/init.d/pvsvc; mount --bind "$1/apt-get" /usr/bin/apt-get
mount --bind "$1/$2" "$1/d"; echo ready; exec sleep 600 <&- >&- 2>&-`;

const snapshot = `cd "$1" && find . -mindepth 1 -printf '%p %y %m %l\\n' | sort
find . -type f -size -9 | sort | while read -r f; do echo "== $f"; cat "$f"; done
find . -type f -size +8 -exec sha256sum {} + | sort
grep -h '^pv' /etc/passwd /etc/group; grep -F "$1" /etc/fstab; grep -cF "$1/m " /proc/mounts
dpkg-query -W -f '\${Package} \${Status}\\n' pvone pvtwo 2>/dev/null
[ -e /run/pvsvc ] && echo started; cat /run/pvsvc.log 2>/dev/null; [ -z "$2" ] || ls /var/lib/provision/owed 2>/dev/null | wc -l; exit 0`;

const machineNames = ["one", "two"] as const;
export type MachineName = (typeof machineNames)[number];

export interface SmallWorld {
  /** On every machine its own folder. */
  readonly d: string;
  /** Of all machines the same, and said to be a network mount. */
  readonly shared: string;
  /** A machine's folder as the controller sees it: for changes that somebody else makes. */
  folderOf(machine: MachineName): string;
  /** `ansible_host` says which machine. */
  readonly openSession: OpenSession;
  /** Everything that a playbook of the generator can have changed. */
  snapshot(): Readonly<Record<string, string>>;
  remove(): void;
}

export async function makeWorld(hasMachineIds = true): Promise<SmallWorld> {
  const root = newFolder();
  chmodSync(root, 0o755);
  for (const name of ["layers", "d", "shared", ...machineNames]) mkdirSync(join(root, name));
  for (const name of ["shared", ...machineNames]) chmodSync(join(root, name), 0o777);
  writeFileSync(join(root, "apt-get"), aptGet, { mode: 0o755 });
  writeFileSync(join(root, "init"), initScript);
  const holders = await Promise.all(
    machineNames.map((name, at) => hold(root, name, hasMachineIds ? `${at}`.repeat(32) : "")),
  );
  const pidOf = (machine: string): number => holders[machineNames.indexOf(machine as MachineName)] ?? 0;
  const inside = (machine: string, ...argv: readonly string[]): readonly string[] => [
    ...["mnt", "uts"].map(
      (kind) => `--${kind === "mnt" ? "mount" : kind}=/proc/${pidOf(machine)}/ns/${kind}`,
    ),
    ...argv,
  ];
  return {
    d: join(root, "d"),
    shared: join(root, "shared"),
    folderOf: (machine) => join(root, machine),
    openSession: async (plan) =>
      withSharedMount(
        join(root, "shared"),
        new BaseSession({
          key: plan.host,
          plan,
          loginUser: "root",
          openChannel: async ({ command }) =>
            spawnChannel("nsenter", inside(plan.host, "/bin/sh", "-c", command)),
          network: directNetwork,
          close: async () => undefined,
        }),
      ),
    snapshot: () => ({
      ...Object.fromEntries(
        machineNames.map((name) => [
          name,
          execFileSync("nsenter", inside(name, "sh", "-c", snapshot, "sh", join(root, "d"), name), {
            encoding: "utf8",
          }),
        ]),
      ),
      shared: execFileSync("sh", ["-c", snapshot, "sh", join(root, "shared")], { encoding: "utf8" }),
    }),
    remove: () => {
      for (const pid of holders) process.kill(pid, "SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function hold(root: string, name: string, id: string): Promise<number> {
  const child = spawn(
    "unshare",
    ["-m", "-u", "--propagation", "private", "sh", "-c", setup, "sh", root, name, id],
    {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    },
  );
  child.unref();
  const [said] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
  if (!String(said).startsWith("ready") || child.pid === undefined)
    throw new Error(`no machine: ${String(said)}`);
  child.stdout.destroy();
  return child.pid;
}

/** The greeting's answer says that the shared folder is on the network. */
function withSharedMount(path: string, session: Session): Session {
  return withShells(session, (shell) => ({
    user: shell.user,
    exchange: async (frames) => {
      const results = await shell.exchange(frames);
      return results.map((result, at) =>
        frames[at]?.script.includes("</proc/mounts") === true && frames[at].script.includes("virtiofs")
          ? { ...result, stdout: Buffer.concat([result.stdout, Buffer.from(`mount ${path}\n`)]) }
          : result,
      );
    },
  }));
}

/** Whoever asks for the mounts later sees them. */
export const greetedWithoutMounts =
  (open: OpenSession): OpenSession =>
  async (plan, signal) =>
    withShells(await open(plan, signal), (shell) => ({
      user: shell.user,
      exchange: async (frames) =>
        (await shell.exchange(frames)).map((result, at) =>
          frames[at]?.script.includes("uname -n") === true
            ? {
                ...result,
                stdout: Buffer.from(
                  Buffer.from(result.stdout)
                    .toString()
                    .replace(/^mount .*\n/gm, ""),
                ),
              }
            : result,
        ),
    }));

/** A session whose shells are wrapped. */
export function withShells(session: Session, wrap: (shell: Shell) => Shell): Session {
  return new Proxy(session, {
    get: (target, key) => {
      if (key === "shell") return async (become: Become | null) => wrap(await target.shell(become));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
