/** A play: its hosts in batches, and each batch through pre_tasks, roles, tasks and post_tasks, with a flush after each part. */
import { ProvisionError } from "../../base/errors.ts";
import { matchPattern } from "../inventory/match-pattern.ts";
import type { Inherited, Play, RoleInvocation, Statement } from "../playbook/model.ts";
import type { Variable } from "../vars/variable.ts";
import { forEachAtMost } from "./concurrency.ts";
import { wantsFacts } from "./facts-wanted.ts";
import { type Ahead, enterRole, type Frame } from "./frame.ts";
import { greetAll } from "./greet.ts";
import { flatHandlers, withEntries } from "./handler-entries.ts";
import { importedRolesOf } from "./imported-roles.ts";
import { readPlayVarsFiles } from "./load-vars.ts";
import { takeUpOwed } from "./owed-report.ts";
import { modulesOf } from "./play-modules.ts";
import { type HandlerEntry, PlayState } from "./play-state.ts";
import { askPlayVars } from "./play-vars.ts";
import type { RunHost } from "./run-host.ts";
import type { RunState } from "./run-state.ts";
import { batchSizes, inBatches } from "./serial.ts";
import { Walker } from "./walker.ts";

export interface PlayPlace {
  readonly play: Play;
  readonly playbookFile: string;
}

/** Why the run must end here, if it must. */
export async function runPlay(run: RunState, place: PlayPlace): Promise<string | undefined> {
  const { play } = place;
  const startedAt = run.clock.monotonic();
  const allHosts = targetsOf(run, play);
  const hosts = allHosts.filter(({ isLost }) => !isLost);
  const frame = frameOf(play);
  const blank = playState(run, place, { batch: hosts, allHosts, frame, playVars: new Map() });
  const [first] = hosts;
  if (first === undefined) return undefined;
  const playVars = await askPlayVars(blank, first);
  const batches = batchesOf(blank, first, hosts);
  for (const [index, batch] of batches.entries()) {
    const state = playState(run, place, { batch, allHosts, frame, playVars });
    run.emit({
      type: "play-start",
      play: play.name,
      hosts: batch.map(({ name }) => name),
      ...(batches.length > 1 ? { batch: `${index + 1} of ${batches.length}` } : {}),
    });
    const stopped = await runBatch(state, batches.length);
    if (stopped !== undefined) return stopped;
    if (run.isInterrupted || state.isEnded) break;
  }
  run.emit({ type: "play-end", play: play.name, elapsedMs: run.clock.monotonic() - startedAt });
  return undefined;
}

export const playState = (
  run: RunState,
  { play, playbookFile }: PlayPlace,
  rest: {
    readonly batch: readonly RunHost[];
    readonly allHosts: readonly RunHost[];
    readonly frame: Frame;
    readonly playVars: ReadonlyMap<string, Variable>;
  },
): PlayState => new PlayState({ run, play, playbookFile, ...rest });

/** Hosts of the play within --limit, in order, without those that an earlier play lost. */
export const hostsOf = (run: RunState, play: Play): readonly RunHost[] =>
  targetsOf(run, play).filter(({ isLost }) => !isLost);

function targetsOf(run: RunState, play: Play): readonly RunHost[] {
  const pattern = run.renderPlain(play.hosts, play);
  const patterns = (Array.isArray(pattern) ? pattern : [pattern]).map(String);
  const names = matchPattern(patterns, run.inventory, {
    span: play.hosts.span,
    action: `choose the hosts of play "${play.name}"`,
    cwd: run.request.environment.cwd,
  });
  const limited = run.limited(names);
  return limited.map((name) => run.hostNamed(name));
}

function batchesOf(state: PlayState, first: RunHost, hosts: readonly RunHost[]): RunHost[][] {
  const { play } = state;
  const view = state.view(first, state.frame, undefined);
  const ordered = inOrder(state, hosts, play.order === undefined ? "inventory" : view.text(play.order));
  const serial = play.serial === undefined ? undefined : view.value(play.serial);
  const sizes = batchSizes(serial, ordered.length);
  if (sizes !== undefined) return inBatches(ordered, sizes);
  throw new ProvisionError({
    code: "bad-argument",
    action: `read "serial" of play "${play.name}"`,
    state: `it is ${JSON.stringify(serial)}`,
    span: play.serial?.span,
    why: 'serial is a whole number, a share like "30%", or a list of these',
    fix: "serial: 1",
  });
}

function inOrder(state: PlayState, hosts: readonly RunHost[], order: string): readonly RunHost[] {
  const byName = (a: RunHost, b: RunHost): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  switch (order) {
    case "inventory":
    case "":
      return hosts;
    case "reverse_inventory":
      return [...hosts].reverse();
    case "sorted":
      return [...hosts].sort(byName);
    case "reverse_sorted":
      return [...hosts].sort(byName).reverse();
    case "shuffle": {
      const { random } = state.run.request.environment;
      return hosts
        .map((host) => ({ host, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ host }) => host);
    }
    default:
      throw new ProvisionError({
        code: "bad-argument",
        action: `read "order" of play "${state.play.name}"`,
        state: `it is "${order}"`,
        span: state.play.order?.span,
        why: "order is inventory, reverse_inventory, sorted, reverse_sorted or shuffle",
      });
  }
}

export function frameOf(play: Play): Frame {
  const { kind: _kind, name: _name, ...inherited } = play;
  return {
    chain: [inherited satisfies Inherited],
    roles: [],
    includeParams: [],
    notify: [],
    rescuable: false,
    handlers: false,
    depth: 0,
  };
}

async function runBatch(state: PlayState, batches: number): Promise<string | undefined> {
  const { batch, play } = state;
  for (const host of batch) {
    host.stop = undefined;
    host.notified.clear();
    host.owedHere.clear();
  }
  state.handlers = handlersOf(state);
  state.publicRoles.push(...play.roles, ...importedRolesOf(play));
  for (const host of batch) readPlayVarsFiles(state, host);
  for (const { statements, frame } of sectionsOf(state)) state.tags.check(statements, frame);
  // Modules are read from disk while the hosts are being connected to.
  const hasModules = state.run.loadModules(modulesOf(play));
  const { start } = placesOf(sectionsOf(state));
  await Promise.all([greetAll(state, { wantsFacts: wantsFacts(state), start, hasModules }), hasModules]);
  await runStrategy(state);
  return endOfBatch(state, batches);
}

function endOfBatch(state: PlayState, batches: number): string | undefined {
  const { batch } = state;
  const lost = batch.filter(
    ({ stop }) => stop?.why === "failed" || stop?.why === "unreachable" || stop?.why === "halted",
  );
  for (const host of lost) host.isLost = true;
  if (state.halted !== undefined) return `Stopped: ${state.halted.reason}.`;
  if (batch.length > 0 && lost.length === batch.length) {
    return batches > 1 ? "Stopped: every host of the batch failed." : "";
  }
  return undefined;
}

interface Section {
  readonly statements: readonly Statement[];
  readonly frame: Frame;
  readonly flushAfter: boolean;
  /** See RoleInvocation.once. */
  readonly once?: string | undefined;
}

function sectionsOf({ play, frame }: PlayState): readonly Section[] {
  const roles = play.roles.map((role: RoleInvocation, index) => ({
    statements: role.role.tasks,
    frame: enterRole(frame, role),
    once: role.once,
    flushAfter: index === play.roles.length - 1 && play.tasks.length === 0,
  }));
  return [
    { statements: play.preTasks, frame, flushAfter: true },
    ...roles,
    { statements: play.tasks, frame, flushAfter: true },
    { statements: play.postTasks, frame, flushAfter: true },
  ].filter(({ statements, flushAfter }) => statements.length > 0 || flushAfter);
}

async function runStrategy(state: PlayState): Promise<void> {
  const { play, batch } = state;
  const [first] = batch;
  const strategy =
    play.strategy === undefined || first === undefined
      ? "linear"
      : state.view(first, state.frame, undefined).text(play.strategy);
  switch (strategy.replace(/^ansible\.builtin\./, "")) {
    case "linear":
    case "debug":
      return runSections(state, batch);
    case "free":
      return forEachAtMost(batch.length, batch, (host) => runSections(state, [host]));
    case "host_pinned":
      return forEachAtMost(state.run.request.forks, batch, (host) => runSections(state, [host]));
    default:
      throw new ProvisionError({
        code: "bad-argument",
        action: `read "strategy" of play "${play.name}"`,
        state: `it is "${strategy}"`,
        span: play.strategy?.span,
        why: "strategy is linear, free or host_pinned",
      });
  }
}

/** What follows each section, and what all begins with. */
function placesOf(sections: readonly Section[]): {
  readonly start: Ahead | undefined;
  readonly aheads: readonly (Ahead | undefined)[];
} {
  const aheads: (Ahead | undefined)[] = [];
  let then: Ahead | undefined;
  for (const section of [...sections].reverse()) {
    aheads.unshift(then);
    then = { statements: section.statements, from: 0, frame: section.frame, then };
  }
  return { start: then, aheads };
}

async function runSections(state: PlayState, hosts: readonly RunHost[]): Promise<void> {
  const walker = new Walker(state);
  const sections = sectionsOf(state);
  const { aheads } = placesOf(sections);
  for (const [index, { statements, frame, flushAfter, once }] of sections.entries()) {
    if (index === 1) for (const host of hosts) takeUpOwed(host);
    await walker.statements(statements, state.notYet(once, hosts), frame, aheads[index]);
    if (flushAfter) await walker.flush(hosts, aheads[index]);
  }
}

/** Roles' handlers first, then the play's own: of one name the last one counts. */
function handlersOf({ play, frame }: PlayState): readonly HandlerEntry[] {
  const own: Frame = { ...frame, handlers: true };
  const ofRoles = play.roles.flatMap((role) => flatHandlers(role.role.handlers, enterRole(own, role)));
  return withEntries([], [...ofRoles, ...flatHandlers(play.handlers, own)]);
}
