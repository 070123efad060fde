/**
 * The one entry of the bundle that hosts run: `node daemons.mjs mesos-master …`. Which daemon is the first word; all
 * else belongs to it. Nothing of the provisioning wing gets in here.
 */
import { errorText } from "./error-text.ts";

type Main = (argv: readonly string[], env: Readonly<Record<string, string | undefined>>) => Promise<number>;

const daemons: Readonly<Record<string, () => Promise<Main>>> = {
  "mesos-master": async () => (await import("../../scheduler/mesos/master/main.ts")).masterMain,
  "mesos-slave": async () => (await import("../../scheduler/mesos/agent/main.ts")).agentMain,
  marathon: async () => (await import("../../scheduler/marathon/main.ts")).marathonMain,
  "haproxy-bridge": async () => (await import("../../scheduler/discovery/main.ts")).bridgeMain,
};

/** Loads every daemon, so that a bundle that was cut short never gets its name. */
async function selfCheck(): Promise<number> {
  for (const load of Object.values(daemons)) await load();
  process.stdout.write(`node ${process.version}: ${Object.keys(daemons).join(", ")}\n`);
  return 0;
}

async function main([name, ...argv]: readonly string[]): Promise<number> {
  if (name === "--self-check") return await selfCheck();
  const load = name === undefined ? undefined : daemons[name];
  if (load === undefined) {
    process.stderr.write(`usage: daemons.mjs ${Object.keys(daemons).join(" | ")} [--flag=value …]\n`);
    return 1;
  }
  return await (await load())(argv, process.env);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
}
