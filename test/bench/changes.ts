/** What changing costs: the whole site on bare hosts, and loops of a thousand items beside the same loop by hand. */
import { containerName } from "../../src/cluster/rehearsal/hosts.ts";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";
import { type Inventories, names } from "./bench-hosts.ts";
import { type Command, playbook, provision } from "./contenders.ts";
import { medianOf, type Timed, timed } from "./measure.ts";

export interface ChangeResult {
  readonly nearS: number;
  readonly farS: number;
  /** Of the host with most of them. */
  readonly changedTasks: number;
  readonly messages: number;
}
export interface LoopResult {
  readonly what: string;
  readonly provisionS: number;
  readonly byHandS: number;
  readonly messages: number;
}

const bare = "rm -rf /srv/bench; userdel -r bench 2>/dev/null; groupdel bench 2>/dev/null; true";

const inHost = (id: string, name: string, script: string): Promise<string> =>
  runProgram("docker", ["exec", containerName(id, name), "sh", "-c", script]);

/** From the last line of --json. */
function recapOf({ output }: Timed): { readonly changed: number; readonly roundTrips: number } {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  const { recap } = JSON.parse(line) as { recap: { changed: number; roundTrips: number }[] };
  const most = (pick: (host: (typeof recap)[number]) => number): number => Math.max(...recap.map(pick));
  return { changed: most(({ changed }) => changed), roundTrips: most(({ roundTrips }) => roundTrips) };
}

/** Everything but the packages, which are there and stay. */
export async function measureChange(id: string, inventories: Inventories): Promise<ChangeResult> {
  const once = async (inventory: string): Promise<Timed> => {
    await Promise.all(names.map((name) => inHost(id, name, bare)));
    return timed(provision(inventory, playbook("site.yml"), "--json"));
  };
  const near = await once(inventories.near);
  const far = await inventories.delayed(() => once(inventories.far));
  const { changed, roundTrips } = recapOf(far);
  return { nearS: near.seconds, farS: far.seconds, changedTasks: changed, messages: roundTrips };
}

interface Loop {
  readonly what: string;
  readonly tag: string;
  readonly before: string;
  /** `$i` runs over the items, in the folder. */
  readonly byHand: string;
}

const each = (script: string): string =>
  `cd /srv/loops; i=0; while [ $i -lt 1000 ]; do ${script}; i=$((i+1)); done`;
const files = each('echo old >"$i"');
const loops: readonly Loop[] = [
  {
    ...{ what: "files changed", tag: "change", before: files },
    byHand: 'printf "file %s\\n" $i >.new && chmod 0644 .new && mv -f .new $i',
  },
  { what: "folders", tag: "folders", before: "true", byHand: "mkdir -p $i && chmod 0750 $i" },
  { what: "removals", tag: "removals", before: files, byHand: "rm -f $i" },
  { what: "links", tag: "links", before: "true", byHand: "ln -sfn /etc/hosts $i" },
  {
    ...{ what: "lines, a file each", tag: "lines", before: files },
    byHand: 'grep -qx "a=$i" $i || echo "a=$i" >>$i',
  },
  {
    ...{ what: "lines in one file", tag: "one", before: "echo old >/srv/loops/one" },
    byHand: 'grep -qx "a=$i" one || echo "a=$i" >>one',
  },
];

const runs = 3;

export async function measureLoops(id: string, inventory: string): Promise<readonly LoopResult[]> {
  const [first = ""] = names;
  const results: LoopResult[] = [];
  for (const { what, tag, before, byHand } of loops) {
    const prepare = (): Promise<string> =>
      inHost(id, first, `rm -rf /srv/loops; mkdir -p /srv/loops; ${before}`);
    const times = { provision: [] as number[], byHand: [] as number[] };
    let messages = 0;
    for (let run = 0; run < runs; run++) {
      await prepare();
      times.byHand.push((await timed(handLoop(inventory, first, byHand))).seconds);
      await prepare();
      const ran = await timed(provision(inventory, "-l", first, playbook("loops.yml"), "-t", tag, "--json"));
      times.provision.push(ran.seconds);
      messages = recapOf(ran).roundTrips;
    }
    const median = (of: readonly number[]): number => medianOf(of) ?? 0;
    results.push({ what, provisionS: median(times.provision), byHandS: median(times.byHand), messages });
  }
  return results;
}

function handLoop(inventory: string, host: string, script: string): Command {
  const dial = `
value() { sed -n "s/^$1=//p" "$INVENTORY"; }
set -- $(grep "^${host} " "$INVENTORY")
printf '%s\\n' "$SCRIPT" | ssh -q -o BatchMode=yes -i "$(value ansible_ssh_private_key_file)" $(value ansible_ssh_common_args) \\
  -p "\${3#ansible_port=}" "ubuntu@\${2#ansible_host=}" sudo sh`;
  return { argv: ["sh", "-c", dial], env: { INVENTORY: inventory, SCRIPT: each(script) } };
}
