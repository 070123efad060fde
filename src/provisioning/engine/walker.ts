/**
 * The order of a play (R7): every statement ends on all of its hosts before the next one begins. Blocks, rescues,
 * rolling waves and includes are entered here; one task on one host is task-runner.ts, what a host is told is machine.ts.
 */
import type { JsonObject } from "../../base/json.ts";
import type { Block, Statement, Task } from "../playbook/model.ts";
import { type Ahead, enterBlock, type Frame, keyword } from "./frame.ts";
import type { PlayState } from "./play-state.ts";
import { flushHandlers } from "./run-handlers.ts";
import type { RunHost, Stop } from "./run-host.ts";
import { runIncludedRoles, runIncludedTasks } from "./run-includes.ts";
import { applyMeta } from "./run-meta.ts";
import { runTask } from "./run-task.ts";

export class Walker {
  readonly play: PlayState;

  constructor(play: PlayState) {
    this.play = play;
  }

  async statements(
    list: readonly Statement[],
    hosts: readonly RunHost[],
    frame: Frame,
    then?: Ahead,
  ): Promise<void> {
    for (const [index, statement] of list.entries()) {
      const active = hosts.filter((host) => host.isActive && !this.play.hasLeft(host, frame));
      if (active.length === 0 || this.play.run.isInterrupted) return;
      await this.#statement(statement, active, frame, { statements: list, from: index + 1, frame, then });
    }
  }

  async #statement(
    statement: Statement,
    hosts: readonly RunHost[],
    frame: Frame,
    ahead: Ahead,
  ): Promise<void> {
    switch (statement.kind) {
      case "block":
        return this.#rollingBlock(statement, this.play.notYet(statement.once, hosts), frame, ahead);
      case "include-tasks":
        return runIncludedTasks(this, statement, { hosts, frame, ahead });
      case "include-role":
        return runIncludedRoles(this, statement, { hosts, frame, ahead });
      case "task":
        return this.task(statement, hosts, frame, ahead);
    }
  }

  async task(task: Task, hosts: readonly RunHost[], frame: Frame, ahead: Ahead): Promise<void> {
    const before = new Set(hosts);
    const metas = await runTask(this.play, task, { hosts, frame, ahead });
    if (metas.length > 0) await applyMeta(this, metas, { hosts, frame, ahead });
    this.#applyLimits(task, [...before], frame);
  }

  flush(hosts: readonly RunHost[], then?: Ahead): Promise<void> {
    return flushHandlers(this, hosts, then);
  }

  /** any_errors_fatal and max_fail_percentage, once all hosts have ended the task. */
  #applyLimits(task: Task, hosts: readonly RunHost[], frame: Frame): void {
    const down = hosts.filter(({ stop }) => stop?.why === "failed" || stop?.why === "unreachable");
    if (down.length === 0) return;
    const names = down.map(({ name }) => name).join(", ");
    const [first] = down;
    if (first !== undefined && this.play.flag(keyword(frame, task, "anyErrorsFatal"), first, frame)) {
      this.play.halt(`any_errors_fatal: ${names} failed`, "fatal");
    }
    const limit = this.play.maxFailPercentage;
    // What a rescue may still catch is no lost host yet.
    if (limit === undefined || frame.rescuable) return;
    const lost = this.play.batch.filter(({ stop }) => stop?.why === "failed" || stop?.why === "unreachable");
    const share = (lost.length / this.play.batch.length) * 100;
    if (share > limit) {
      this.play.halt(
        `max_fail_percentage is ${limit}, and ${Math.round(share)} % of the hosts failed`,
        "limit",
      );
    }
  }

  async #rollingBlock(block: Block, hosts: readonly RunHost[], frame: Frame, ahead: Ahead): Promise<void> {
    const [first] = hosts;
    if (block.rolling === undefined || first === undefined) return this.#block(block, hosts, frame, ahead);
    const size = this.play.wholeNumber(block.rolling, first, frame, "rolling");
    await this.inWaves(hosts, size, block.name, (wave) => this.#block(block, wave, frame, ahead));
  }

  /** N hosts at a time, each wave to its end; the first host that does not come back ends it (R6 between waves). */
  async inWaves(
    hosts: readonly RunHost[],
    size: number,
    what: string,
    work: (wave: readonly RunHost[]) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < hosts.length; from += size) {
      const wave = hosts.slice(from, from + size);
      await work(wave);
      this.play.run.expire();
      const lost = wave.filter(({ stop }) => stop !== undefined && stop.why !== "ended");
      if (lost.length === 0) continue;
      const untouched = hosts.slice(from + size).filter((host) => host.isActive);
      if (untouched.length === 0) return;
      const reason = `${lost.map(({ name }) => name).join(", ")} did not come back from rolling "${what}"`;
      this.play.haltHosts(untouched, reason);
      this.play.halt(reason, "limit");
      return;
    }
  }

  async #block(block: Block, hosts: readonly RunHost[], frame: Frame, ahead: Ahead): Promise<void> {
    const inner = enterBlock(frame, block);
    const outer = { ...inner, rescuable: frame.rescuable };
    await this.statements(block.block, hosts, inner, alwaysThen(block, outer, ahead));
    const failed = hosts.filter(({ stop }) => isRescuable(stop));
    if (block.rescue.length > 0 && failed.length > 0) await this.#rescue(block, failed, outer, ahead);
    if (block.always.length > 0) await this.#always(block, hosts, outer, ahead);
  }

  async #rescue(block: Block, failed: readonly RunHost[], frame: Frame, ahead: Ahead): Promise<void> {
    for (const host of failed) {
      const { stop } = host;
      host.stop = undefined;
      if (stop?.why !== "failed") continue;
      host.setVars.set("ansible_failed_result", stop.result);
      host.setVars.set("ansible_failed_task", failedTask(stop.task));
    }
    this.play.forgiveFatal();
    await this.statements(block.rescue, failed, frame, alwaysThen(block, frame, ahead));
    for (const host of failed) {
      host.setVars.delete("ansible_failed_result");
      host.setVars.delete("ansible_failed_task");
    }
  }

  /** Runs on failed hosts too; they are failed again afterwards. */
  async #always(block: Block, hosts: readonly RunHost[], frame: Frame, ahead: Ahead): Promise<void> {
    const before = new Map<RunHost, Stop>();
    for (const host of hosts) {
      if (!isRescuable(host.stop) || host.stop === undefined) continue;
      before.set(host, host.stop);
      host.stop = undefined;
    }
    await this.statements(block.always, hosts, frame, ahead);
    for (const [host, stop] of before) host.stop ??= stop;
  }
}

const isRescuable = (stop: Stop | undefined): boolean =>
  stop?.why === "failed" || (stop?.why === "halted" && stop.rescuable);

const failedTask = (task: Task | undefined): JsonObject => ({
  name: task?.name?.kind === "scalar" ? String(task.name.value) : "",
  action: task?.action ?? "",
});

const alwaysThen = (block: Block, frame: Frame, then: Ahead): Ahead => ({
  statements: block.always,
  from: 0,
  frame,
  then,
});
