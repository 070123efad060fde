/** Who is measured: ours, a script by hand, Ansible plain and tuned, Mitogen where the distribution has it. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";

const here = import.meta.dirname;
const root = join(here, "../..");

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
export interface Contender {
  readonly name: string;
  command(inventory: string): Command;
  /** Fewer runs for the slow ones; none far for what would take minutes. */
  readonly nearRuns: number;
  readonly farRuns: number;
}

export const provision = (...argv: readonly string[]): Command => ({
  argv: [join(root, "provision"), ...argv],
});
export const playbook = (name: string): string => join(here, "playbooks", name);

export const ours: Contender = {
  name: "provision",
  nearRuns: 9,
  farRuns: 3,
  command: (inventory) => provision(inventory, playbook("site.yml")),
};

/** One `ssh host sh` a host, all at once, each checking what the playbook says; the inventory says where they are. */
const allAtOnce = `
value() { sed -n "s/^$1=//p" "$INVENTORY"; }
key=$(value ansible_ssh_private_key_file) options=$(value ansible_ssh_common_args) pids=
while read -r name host port rest; do
  case $host in ansible_host=*) ;; *) continue;; esac
  ssh -q -n -o BatchMode=yes -i "$key" $options -p "\${port#ansible_port=}" "ubuntu@\${host#ansible_host=}" \\
    "$(printf 'sudo sh -c %s' "$QUOTED")" &
  pids="$pids $!"
done < "$INVENTORY"
for pid in $pids; do wait "$pid" || exit 1; done
`;

export async function byHand(folder: string): Promise<Contender> {
  const { readFile } = await import("node:fs/promises");
  const { shellQuote } = await import("../../src/base/shell-quote.ts");
  const script = join(folder, "by-hand.sh");
  await writeFile(script, allAtOnce);
  const quoted = shellQuote(await readFile(join(here, "hand-written.sh"), "utf8"));
  return {
    name: "hand-written ssh script",
    nearRuns: 9,
    farRuns: 3,
    command: (inventory) => ({ argv: ["sh", script], env: { INVENTORY: inventory, QUOTED: quoted } }),
  };
}

/** The bare start of Node, which is ours to pay and not the script's. */
export const nodeStart: Contender = {
  name: "start of Node",
  nearRuns: 9,
  farRuns: 0,
  command: () => ({ argv: [process.execPath, "-e", "0"] }),
};

export async function ansibles(folder: string, say: (text: string) => void): Promise<readonly Contender[]> {
  if (!(await hasCommand("ansible-playbook")) && !(await installed("ansible", say))) return [];
  const config = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, `[defaults]\nhost_key_checking = False\nretry_files_enabled = False\n${text}`);
    return file;
  };
  const pipelining = "[ssh_connection]\npipelining = True\n";
  const plain = await config("plain.cfg", "");
  const fast = await config("fast.cfg", `forks = 20\n${pipelining}`);
  const found = [
    ansible("Ansible", plain, { nearRuns: 1, farRuns: 0 }),
    ansible("Ansible, pipelining, 20 forks", fast, { nearRuns: 1, farRuns: 1 }),
  ];
  const strategies = await mitogenStrategies(say);
  if (strategies === undefined) return found;
  const plugins = `forks = 20\nstrategy = mitogen_linear\nstrategy_plugins = ${strategies}\n`;
  const mitogen = await config("mitogen.cfg", plugins + pipelining);
  return [...found, ansible("Mitogen", mitogen, { nearRuns: 2, farRuns: 1 })];
}

const ansible = (
  name: string,
  config: string,
  runs: { readonly nearRuns: number; readonly farRuns: number },
): Contender => ({
  name,
  ...runs,
  command: (inventory) => ({
    argv: ["ansible-playbook", "-i", inventory, playbook("site.yml")],
    env: { ANSIBLE_CONFIG: config, ANSIBLE_SSH_CONTROL_PATH_DIR: join(tmpdir(), `cp-${process.pid}`) },
  }),
});

const mitogenFolder = "/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy";

async function mitogenStrategies(say: (text: string) => void): Promise<string | undefined> {
  if (!existsSync(mitogenFolder)) await installed("ansible-mitogen", say);
  return existsSync(mitogenFolder) ? mitogenFolder : undefined;
}

const hasCommand = (name: string): Promise<boolean> =>
  runProgram("sh", ["-c", 'command -v "$1"', "sh", name]).then(
    () => true,
    () => false,
  );

/** From the distribution, when this is root; else the contender is left out, and said so. */
async function installed(name: string, say: (text: string) => void): Promise<boolean> {
  if (process.getuid?.() !== 0) {
    say(`${name} is not installed: left out (apt-get install ${name})`);
    return false;
  }
  say(`installing ${name} from the distribution`);
  return runProgram("apt-get", ["-qq", "install", "-y", "--no-install-recommends", name]).then(
    () => true,
    (error: unknown) => {
      say(`${name} is left out: ${String(error)}`);
      return false;
    },
  );
}
