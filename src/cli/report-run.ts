/** A run with its reporter: exit code out, failed hosts remembered. */
import { ProvisionError } from "../base/errors.ts";
import type { EmitEvent } from "../provisioning/engine/events.ts";
import { runPlaybooks } from "../provisioning/engine/run-playbooks.ts";
import type { RunSummary } from "../provisioning/engine/run-request.ts";
import { maskSecrets } from "../provisioning/reporting/printable.ts";
import { createReporter, type ReporterOptions } from "../provisioning/reporting/reporter.ts";
import { rememberFailed } from "./failed-hosts.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";
import type { Prepared } from "./prepare-run.ts";

export interface ReportedRun {
  readonly prepared: Prepared;
  readonly options: ParsedOptions;
  readonly io: CliIo;
  /** Sees every event before the reporter does. */
  readonly watch?: EmitEvent;
  /** What the task said on each host, instead of how the run goes. */
  readonly showsOutputs?: boolean;
}

export const reportRun = async (prepared: Prepared, options: ParsedOptions, io: CliIo): Promise<number> =>
  (await runReported({ prepared, options, io })).exitCode;

export async function runReported(run: ReportedRun): Promise<RunSummary> {
  const { prepared, options, io, watch } = run;
  const { request, sources } = prepared;
  if (request.inventory.hosts.size === 0 && !canDoWithoutHosts(prepared)) throw noHosts(sources);
  const reporter = await createReporter({
    kind: kindOf(run),
    oneLine: options.has("one-line"),
    write: (text) => io.stdout(text),
    colour: io.colour && !options.has("no-color"),
    get columns() {
      return io.columns;
    },
    verbosity: options.count("verbose"),
    profile: options.has("profile"),
    cwd: io.cwd,
    mask: secretsOf(prepared),
  });
  let hasPlayed = false;
  /** No play had a host that --limit left in it. */
  const isNothing = (): boolean => !hasPlayed && request.limit !== undefined;
  prepared.screen.hold = reporter.hold?.bind(reporter);
  try {
    const summary = await runPlaybooks(
      request,
      (event) => {
        watch?.(event);
        // A connection that we gave up ourselves is no news.
        const isOurs = io.signal.aborted && event.type === "connect" && event.state === "failed";
        if (event.type === "play-start" && event.hosts.length > 0) hasPlayed = true;
        const isEmpty = event.type === "run-end" && event.exitCode === 0 && isNothing();
        if (!isOurs && !isEmpty) reporter.report(event);
      },
      io.signal,
    );
    const playbooks = request.playbooks.map(({ file }) => file);
    const tookPart = summary.recap.map(({ host }) => host);
    if (summary.exitCode === 0 && isNothing()) throw noneLeft(request.limit ?? []);
    rememberFailed(io, { playbooks, sources }, { failed: summary.failedHosts, tookPart });
    return summary;
  } finally {
    await reporter.close();
  }
}

/** Passwords of options are known from the start; vault values as they are opened, those of tasks as they are read. */
function secretsOf({ request, vaults }: Prepared): (text: string) => string {
  const { password, becomePassword } = request.connection;
  const fixed = [password, becomePassword].filter((each) => each !== undefined);
  let known = -1;
  let mask = maskSecrets(fixed);
  return (text) => {
    const size = vaults.secrets.size + (request.secrets?.size ?? 0);
    if (size !== known) {
      known = size;
      mask = maskSecrets([...fixed, ...vaults.secrets, ...(request.secrets ?? [])]);
    }
    return mask(text);
  };
}

function kindOf({ options, io, showsOutputs }: ReportedRun): ReporterOptions["kind"] {
  if (options.has("json")) return "json";
  if (showsOutputs === true) return "outputs";
  return io.isTTY && !options.has("plain") && io.env["TERM"] !== "dumb" && !options.has("step")
    ? "terminal"
    : "plain";
}

const canDoWithoutHosts = ({ request }: Prepared): boolean =>
  request.playbooks.every(({ plays }) =>
    plays.every(
      ({ hosts }) => hosts.kind === "scalar" && /^(localhost|127\.0\.0\.1|::1)$/.test(String(hosts.value)),
    ),
  );

const noneLeft = (limit: readonly string[]): ProvisionError =>
  new ProvisionError({
    code: "no-hosts",
    action: `limit the run by "${limit.join(",")}"`,
    state: "no play is for any of these hosts",
    why: "--limit leaves hosts out of a play, and puts none in",
    fix: "--list-hosts shows the hosts of each play",
  });

const noHosts = (sources: readonly string[]): ProvisionError =>
  new ProvisionError({
    code: "no-hosts",
    action: "run the playbooks",
    state: `the inventory "${sources.join(", ")}" lists no host`,
    why: "a run needs hosts to run on",
    fix: "write one into it, a line each; or -i HOST, with a comma at its end",
  });
