/** `haproxy-bridge`, as a process. */
import { ProvisionError } from "../../base/errors.ts";
import { readBridgeConfig } from "./bridge-config.ts";
import { Bridge, runBridge } from "./daemon.ts";
import { NoMarathon } from "./marathon-source.ts";

const usage = `Usage: haproxy-bridge --config=/etc/haproxy/bridge.json [--once | --print]

Keeps haproxy.cfg in step with Marathon: follows its events, and polls.
  --once    one round, for cron; exit code 1 if Marathon is away or haproxy refuses the configuration
  --print   prints what Marathon's answer makes, and changes nothing
`;

const log = (line: string): void => void process.stderr.write(`${line}\n`);

export async function bridgeMain(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  const options = { ...readBridgeConfig(configPathOf(argv)), log };
  if (argv.includes("--print")) return await print(new Bridge(options));
  if (argv.includes("--once")) {
    const { outcome } = await new Bridge(options).sync();
    return outcome === "replaced" || outcome === "unchanged" ? 0 : 1;
  }
  const running = runBridge(options);
  await new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await running.stop();
  return 0;
}

async function print(bridge: Bridge): Promise<number> {
  try {
    const { text, problems } = await bridge.render();
    for (const problem of problems) log(problem);
    process.stdout.write(text);
    return 0;
  } catch (error) {
    if (!(error instanceof NoMarathon)) throw error;
    log(`no Marathon answers: ${error.message}`);
    return 1;
  }
}

function configPathOf(argv: readonly string[]): string {
  const known = /^--(config=.+|once|print)$/;
  const unknown = argv.find((word) => !known.test(word));
  const config = argv.find((word) => word.startsWith("--config="));
  if (unknown === undefined && config !== undefined) return config.slice("--config=".length);
  throw new ProvisionError({
    code: "bad-usage",
    action: "start haproxy-bridge",
    state: unknown === undefined ? "--config is missing" : `"${unknown}" is unknown`,
    fix: "haproxy-bridge --config=/etc/haproxy/bridge.json",
  });
}
