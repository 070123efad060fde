/**
 * Runs plays on hosts. The flow: run-playbooks → run-play (batches, parts) → walker (order, blocks, waves) → run-task
 * (one task, all hosts) → run-on-host (conditions, loops, retries) → execute-task → perform (ask, plan, apply) →
 * machine (one message). look-ahead puts the questions of what follows into a message that leaves anyway; the rules that
 * keep this equal to asking one by one (R0–R14) are noted where they are kept. Everything that happens is told as an
 * event; nothing here prints. Not here: what modules want (modules/), the sh behind it (host/), bytes (transport/).
 */
import { ProvisionError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { EmitEvent } from "./events.ts";
import { limits } from "./limits.ts";
import { reportOwed } from "./owed-report.ts";
import { runPlay } from "./run-play.ts";
import type { RunRequest, RunSummary } from "./run-request.ts";
import { RunState } from "./run-state.ts";

export async function runPlaybooks(
  request: RunRequest,
  emit: EmitEvent,
  signal: AbortSignal,
): Promise<RunSummary> {
  const run = new RunState(request, emit, signal);
  const startedAt = run.clock.monotonic();
  run.emit({
    type: "run-start",
    playbooks: request.playbooks.map(({ file }) => file),
    check: request.check,
    hosts: run.limited([...run.inventory.hosts.keys()]),
  });
  // What runs on hosts is ended there first; what still holds on then loses its connection.
  const closeOnAbort = (): void => {
    run.machines.interrupt();
    setTimeout(() => void run.machines.close(), limits.interruptGraceMs).unref();
  };
  signal.addEventListener("abort", closeOnAbort, { once: true });
  try {
    return summarize(run, startedAt, await runAll(run));
  } catch (error) {
    // Shells were closed under whatever was going on.
    if (!run.isInterrupted) throw error;
    return summarize(run, startedAt, "Interrupted.");
  } finally {
    signal.removeEventListener("abort", closeOnAbort);
    await run.machines.close();
  }
}

async function runAll(run: RunState): Promise<string | undefined> {
  for (const playbook of run.request.playbooks) {
    for (const play of playbook.plays) {
      if (run.isInterrupted) return "Interrupted.";
      const stopped = await runPlay(run, { play, playbookFile: playbook.file });
      if (stopped !== undefined) return stopped;
    }
  }
  if (run.isInterrupted) return "Interrupted.";
  reportOwed(run);
  if (!run.neverStarted) return undefined;
  const wanted = run.request.startAtTask ?? "";
  const near = nearest(wanted, run.passedOver);
  throw new ProvisionError({
    code: "no-task",
    action: `start at task "${wanted}"`,
    state: "no task of the plays that were run has this name",
    why: "the name is as --list-tasks shows it; * and ? stand for anything",
    fix: near === undefined ? "--list-tasks" : `--start-at-task "${near}"`,
  });
}

function summarize(run: RunState, startedAt: number, stopped: string | undefined): RunSummary {
  const kinds = new Set(run.failures.values());
  const exitCode = run.isInterrupted ? 130 : kinds.has("unreachable") ? 4 : kinds.has("failed") ? 2 : 0;
  const recap = [...run.hosts()]
    .filter((host) => host.tookPart)
    .map((host) => host.recap(run.machines.roundTripsOf(host)));
  const elapsedMs = run.clock.monotonic() - startedAt;
  const said = stopped === undefined || stopped === "" ? {} : { stopped };
  run.emit({ type: "run-end", recap, elapsedMs, exitCode, ...said });
  return { exitCode, recap, failedHosts: [...run.failures.keys()], ...said };
}
