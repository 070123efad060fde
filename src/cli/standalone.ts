/** `provision standalone`: a cluster of one, until Ctrl-C. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";

const options: readonly OptionSpec[] = [
  {
    long: "work-dir",
    takes: "DIR",
    help: "where state and sandboxes go (default: ~/.local/state/provision/standalone)",
  },
  { long: "master-port", takes: "PORT", help: "port of the Mesos master (default 5050)" },
  { long: "agent-port", takes: "PORT", help: "port of the Mesos agent (default 5051)" },
  { long: "marathon-port", takes: "PORT", help: "port of Marathon (default 8080)" },
  {
    long: "resources",
    takes: "RESOURCES",
    help: "what the agent offers, like cpus:2;mem:1024 (default: what there is)",
  },
  { long: "keep-tasks", help: "leave tasks running at the end; the next start takes them up again" },
  { long: "verbose", short: "v", help: "say what master, agent and Marathon do" },
  { long: "help", short: "h", help: "say this" },
];

export async function standaloneCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const given = parseOptions(options, argv);
  if (given.has("help")) {
    io.stdout(`Usage: provision standalone [options]\n\n${describeOptions(options, io.columns)}`);
    return exitCodes.fine;
  }
  if (given.rest.length > 0)
    throw badUsage(`"${given.rest[0]}" is not expected`, "standalone takes options only");
  const { runStandalone } = await import("../cluster/standalone/standalone.ts");
  const workDir = workDirOf(given, io);
  const cluster = await runStandalone({
    workDir,
    ports: {
      master: given.number("master-port") ?? 5050,
      agent: given.number("agent-port") ?? 5051,
      marathon: given.number("marathon-port") ?? 8080,
    },
    resources: given.value("resources"),
    log: (line) => given.has("verbose") && io.stderr(`${line}\n`),
  });
  io.stdout(greeting(cluster, workDir, given.has("keep-tasks")));
  await new Promise<void>((done) => {
    if (io.signal.aborted) done();
    io.signal.addEventListener("abort", () => done(), { once: true });
  });
  const keepTasks = given.has("keep-tasks");
  io.stdout(keepTasks ? "\nStopping; tasks run on.\n" : "\nStopping, and ending the tasks.\n");
  await cluster.stop({ keepTasks });
  return exitCodes.fine;
}

function greeting(
  cluster: {
    readonly master: { readonly url: string };
    readonly agent: { readonly url: string };
    readonly marathon: { readonly url: string };
    readonly hasDocker: boolean;
  },
  workDir: string,
  keepTasks: boolean,
): string {
  const marathon = cluster.marathon.url;
  const app = `{"id": "hello", "cmd": "exec python3 -m http.server $PORT", "cpus": 0.1, "mem": 32}`;
  return `Marathon       ${marathon}/ui/
Mesos master   ${cluster.master.url}/
Mesos agent    ${cluster.agent.url}/
State          ${workDir}
Docker tasks   ${cluster.hasDocker ? "yes" : "no: docker does not answer"}

Post an app:   curl -d '${app}' ${marathon}/v2/apps
Ctrl-C stops${keepTasks ? "; tasks run on" : " and ends the tasks; the apps start again next time"}.
`;
}

function workDirOf(given: ParsedOptions, io: CliIo): string {
  const said = given.value("work-dir");
  if (said !== undefined) return resolve(io.cwd, said);
  const state = io.env["XDG_STATE_HOME"] || join(io.env["HOME"] ?? homedir(), ".local", "state");
  return join(state, "provision", "standalone");
}
