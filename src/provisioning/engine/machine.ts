/**
 * One machine by one way of reaching it: its session, what is known of it, and the epoch that it shares with other
 * names of the same machine (R1). Everything that leaves for a host leaves here: questions, steps, and both in one
 * message.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { HostFacts } from "../host/facts.ts";
import type { Answer, Answers, Question } from "../host/question.ts";
import type { Env } from "../host/step.ts";
import type { Become, Frame, FrameResult, Session, Shell } from "../transport/session.ts";
import { isLostConnection } from "./after-loss.ts";
import { AnswerStore, type Epoch, questionKey } from "./answer-store.ts";
import { type Identity, identityOf, loginIdentity } from "./identity.ts";
import { KeptSession } from "./kept-session.ts";
import { limits } from "./limits.ts";
import {
  type Asked,
  byIdentity,
  type FirstFrames,
  type Heard,
  type Message,
  type Reply,
  type Timing,
} from "./message.ts";
import { answersOf, isFramed, questionFrame } from "./question-frames.ts";
import { mayMount, readSharedMounts, sharedMountsScript } from "./shared-mounts.ts";
import { type CredentialChange, credentialChange, runSteps } from "./step-frames.ts";

const nothingAsked = { asked: [], answers: [], atMs: 0, isWhole: true };

export interface MachineOptions {
  readonly open: () => Promise<Session>;
  /** Of a clock that never jumps. */
  readonly now: () => number;
  /** A step took long: the answers of all machines are old now (R6). */
  readonly onSlowStep: () => void;
}

export interface Acquaintance {
  readonly base: HostFacts["base"];
  readonly epoch: Epoch;
}

/** What a machine is, is not known before it has answered its first message. */
export class NotGreeted extends Error {
  constructor() {
    super("the machine was used before it was greeted");
  }
}

export class Machine {
  readonly answers = new AnswerStore({
    volatileMs: limits.volatileAnswerAgeMs,
    steadyMs: limits.steadyAnswerAgeMs,
  });
  readonly #options: MachineOptions;
  #acquaintance: Acquaintance | undefined;
  readonly #kept: KeptSession;
  #roundTrips = 0;
  #wayMs = Number.POSITIVE_INFINITY;
  /** Messages with steps that are under way: their end makes concurrent answers stale. */
  #acting = 0;
  #window: number = limits.aheadTasks;
  /** Whose shells are open, beside the login's own (R10). */
  readonly #becameUsers = new Set<string>();

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#kept = new KeptSession(options.open);
  }

  meet(acquaintance: Acquaintance): void {
    this.#acquaintance = acquaintance;
    this.answers.share(acquaintance.epoch);
  }

  get isMet(): boolean {
    return this.#acquaintance !== undefined;
  }

  get base(): HostFacts["base"] {
    if (this.#acquaintance === undefined) throw new NotGreeted();
    return this.#acquaintance.base;
  }

  get roundTrips(): number {
    return this.#roundTrips;
  }

  /** How many tasks to look ahead: few while the host is being changed, all once it is not. */
  nextWindow(acts: boolean): number {
    this.#window = acts ? limits.aheadTasksWhileChanging : Math.min(limits.aheadTasks, this.#window * 4);
    return this.#window;
  }

  session(): Promise<Session> {
    return this.#kept.get();
  }

  interrupt(): void {
    this.#kept.interrupt();
  }

  close(): Promise<void> {
    return this.#kept.close();
  }

  /** Async jobs that live on it, by whatever name they were started (R11). */
  get hasJobs(): boolean {
    return this.answers.machine.jobs > 0;
  }
  jobStarts(): void {
    this.answers.machine.jobs++;
  }
  /** What was learnt while it lived is no longer true. */
  jobEnds(): void {
    const { machine } = this.answers;
    machine.jobs = Math.max(0, machine.jobs - 1);
    this.answers.bump(this.#options.now());
  }

  /** R13: what was learnt before is gone, and the next use connects anew. */
  async dropSession(): Promise<void> {
    this.answers.bump(this.#options.now());
    // The connection is gone or unwanted: what its end says no longer matters.
    await this.close().catch(() => undefined);
  }

  known({ identity, question }: Asked): Answer | undefined {
    // R11: a job may be changing the machine right now.
    if (this.hasJobs || this.isWorldly(question)) return undefined;
    // Before the greeting was answered it was not known that the login is that user already.
    const keys = new Set([this.#actual(identity).key, identity.key]);
    const now = this.#options.now();
    for (const key of keys) {
      const answer = this.answers.find(questionKey(question, key), question, now);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  isWorldly(question: Question): boolean {
    if (!isFramed(question)) return true;
    if (question.of !== "path") return false;
    const { path } = question;
    return this.answers.machine.sharedMounts.some((mount) => path === mount || path.startsWith(`${mount}/`));
  }

  /** Becoming the user that one is already needs no shell of its own. */
  #actual(identity: Identity): Identity {
    const { become } = identity;
    if (become === null || become.user !== this.#acquaintance?.base.user) return identity;
    return (become.flags ?? []).length > 0 ? identity : identityOf(null, identity.env);
  }

  /** One round trip, as a rule. Questions are answered after the steps; a failed step leaves them unanswered. */
  async send(message: Message): Promise<Reply> {
    const identity = this.#actual(message.identity);
    const ahead = message.ahead.map((asked) => ({ ...asked, identity: this.#actual(asked.identity) }));
    const actual = { ...message, identity, ahead };
    return this.#onSession(() => (message.steps.length > 0 ? this.#act(actual) : this.#ask(actual)));
  }

  /** R13: a lost session is dropped once, however many messages were under way in it: not the next one, too. */
  async #onSession<T>(work: () => Promise<T>): Promise<T> {
    const used = this.session();
    try {
      return await work();
    } catch (error) {
      if (isLostConnection(error) && this.#kept.isStill(used)) await this.dropSession();
      throw error;
    }
  }

  async #ask(message: Message): Promise<Reply> {
    const epoch = this.answers.epoch;
    const believed = this.#acting > 0 ? -1 : epoch;
    const timing: Timing = { networkMs: 0, hostMs: 0 };
    const [own] = await Promise.all([
      this.#questions(message, believed, timing),
      ...this.#othersOf(message).map((other) => this.#askOther(other, believed)),
    ]);
    return { steps: [], own, timing, along: [] };
  }

  /** The epoch moves when the steps leave and, unless nobody else acted meanwhile, counts again when they have ended. */
  async #act(message: Message): Promise<Reply> {
    const alone = this.#acting++ === 0;
    const epoch = this.answers.bump(this.#options.now());
    const startedAt = this.#options.now();
    const timing: Timing = { networkMs: 0, hostMs: 0 };
    try {
      const session = await this.session();
      const shell = await this.#shell(message.identity);
      const questions = this.#merged(message);
      const ran = await runSteps({ machine: this, session, shell, message, questions, timing });
      this.#roundTrips += ran.exchanges;
      const isUndisturbed = alone && this.#acting === 1 && this.answers.epoch === epoch;
      const after = this.answers.bump(this.#options.now());
      const acted = [...message.steps, ...ran.along.flatMap(({ steps }) => steps)];
      await this.#retireShells(credentialChange(acted));
      if (mayMount(acted)) await this.#lookAtMounts();
      const own = await this.#answered(
        message,
        {
          asked: questions,
          answers: ran.answers,
          epoch: isUndisturbed ? after : -1,
          atMs: this.#options.now(),
          isWhole: ran.isWhole,
        },
        timing,
      );
      return { steps: ran.results, own, timing, along: ran.along };
    } catch (error) {
      this.answers.bump(this.#options.now());
      throw error;
    } finally {
      this.#acting--;
      if (this.#options.now() - startedAt > limits.slowStepMs) this.#options.onSlowStep();
    }
  }

  async #lookAtMounts(): Promise<void> {
    const script = sharedMountsScript;
    const [result] = await this.run(loginIdentity, [
      { kind: "ask", script, timeoutMs: limits.questionTimeoutMs },
    ]);
    const lines = new TextDecoder().decode(result?.stdout).split("\n");
    this.answers.machine.sharedMounts = readSharedMounts(lines);
  }

  /** R10. A command can have changed what groups a user is in, but hardly who root is. */
  async #retireShells(change: CredentialChange): Promise<void> {
    const users = this.#becameUsers;
    const isDue = change === "certain" ? users.size > 0 : [...users].some((user) => user !== "root");
    if (change === "none" || !isDue) return;
    users.clear();
    const session = await this.session();
    await session.retireShells();
  }

  async #shell(identity: Identity): Promise<Shell> {
    const session = await this.session();
    if (identity.become !== null) this.#becameUsers.add(identity.become.user);
    return session.shell(identity.become);
  }

  /** Own questions first, then those ahead by the same identity, each once. */
  #merged(message: Message): readonly Question[] {
    const merged = new Map<string, Question>();
    const add = (question: Question): void => {
      if (isFramed(question)) merged.set(JSON.stringify(question), question);
    };
    for (const question of message.own) add(question);
    for (const { identity, question } of message.ahead)
      if (identity.key === message.identity.key) add(question);
    return [...merged.values()];
  }

  async #questions(message: Message, epoch: number, timing: Timing): Promise<Answers> {
    const questions = this.#merged(message);
    if (questions.length === 0) return this.#answered(message, { ...nothingAsked, epoch }, timing);
    const shell = await this.#shell(message.identity);
    const hasMore = questions.length > message.own.filter(isFramed).length;
    const timeoutMs = hasMore ? limits.aheadQuestionTimeoutMs : limits.questionTimeoutMs;
    const frames = [
      ...(message.before ?? []),
      questionFrame(questions, { env: message.identity.env, timeoutMs }),
    ];
    const atMs = this.#options.now();
    const results = await this.exchange(shell, frames, timing);
    this.#roundTrips++;
    const answers = answersOf(questions, results.at(-1), hasMore);
    return this.#answered(message, { asked: questions, answers, epoch, atMs, isWhole: true }, timing);
  }

  /** A shell that will be needed: what goes wrong with it is told by the first message that needs it. */
  openShell(become: Become | undefined): void {
    if (become === undefined) return;
    this.session()
      .then((session) => session.shell(become))
      .catch(() => undefined);
  }

  /** Scripts of the engine itself, which change nothing that a question is about. */
  async run(identity: Identity, frames: readonly Frame[]): Promise<readonly FrameResult[]> {
    const once = (): Promise<readonly FrameResult[]> =>
      this.#onSession(async () => {
        const shell = await this.#shell(this.#actual(identity));
        this.#roundTrips++;
        return this.exchange(shell, frames, { networkMs: 0, hostMs: 0 });
      });
    // R13: they may be run twice.
    return once().catch((error: unknown) => {
      if (!isLostConnection(error)) throw error;
      return once();
    });
  }

  /**
   * A frame's time holds the way there and back of its message. How long that takes is not asked: it is what the
   * fastest frame so far took, which a first message's little questions come close to.
   */
  async exchange(shell: Shell, frames: readonly Frame[], timing: Timing): Promise<readonly FrameResult[]> {
    const startedAt = performance.now();
    const results = await shell.exchange(frames);
    const totalMs = performance.now() - startedAt;
    const framesMs = results.reduce((sum, { elapsedMs, sendingMs = 0 }) => sum + elapsedMs - sendingMs, 0);
    this.#wayMs = Math.min(this.#wayMs, results[0]?.elapsedMs ?? this.#wayMs);
    // Before the first frame's clock runs, the shell is opened: over the network too.
    const networkMs = Math.min(totalMs, Math.max(0, totalMs - framesMs) + this.#wayMs);
    timing.networkMs += networkMs;
    timing.hostMs += totalMs - networkMs;
    return results;
  }

  /** Keeps what was learnt; what the merged question left open is asked alone (R5), what is no frame by the session. */
  async #answered(
    message: Message,
    { asked, answers, epoch, atMs, isWhole }: Heard,
    timing: Timing,
  ): Promise<Answers> {
    if (!isWhole) return [];
    if (answers === undefined) {
      return this.#questions({ ...message, before: [], steps: [], ahead: [] }, epoch, timing);
    }
    const byQuestion = new Map(asked.map((question, index) => [JSON.stringify(question), answers[index]]));
    for (const question of asked) {
      const answer = byQuestion.get(JSON.stringify(question));
      if (answer === undefined || this.isWorldly(question)) continue;
      this.answers.keep(questionKey(question, message.identity.key), { answer, epoch, atMs });
    }
    return Promise.all(
      message.own.map(async (question) => {
        const answer =
          byQuestion.get(JSON.stringify(question)) ?? (await this.#unframed(question, message.identity.env));
        return answer;
      }),
    );
  }

  async #unframed(question: Question, env: Env): Promise<Answer> {
    const session = await this.session();
    this.#roundTrips++;
    if (question.of === "http") return { of: "http", value: await session.http(question.request, env) };
    if (question.of === "tcp") {
      return { of: "tcp", value: await session.tcp(question) };
    }
    throw new Error(`a question of "${question.of}" was left unanswered`);
  }

  /**
   * While it is being greeted, through the shells that are being opened for later. A password is tried once only, by
   * the task that needs it. The results are those of `first`; none where something went wrong (R5).
   */
  async askEarly(asked: readonly Asked[], first?: FirstFrames): Promise<readonly FrameResult[]> {
    const isFree = ({ identity }: { readonly identity: Identity }) => identity.become?.password === undefined;
    const messages = byIdentity(
      asked.filter(isFree),
      first !== undefined && isFree(first) ? first : undefined,
    );
    const results = await Promise.all(messages.map((each) => this.#askOther(each, this.answers.epoch)));
    return results.flat();
  }

  /** Ahead questions of other identities: their own shells, at the same time. Never with steps, which come first. */
  #othersOf({ identity, ahead }: Message): Message[] {
    return byIdentity(ahead.filter((asked) => asked.identity.key !== identity.key));
  }

  async #askOther(message: Message, epoch: number): Promise<readonly FrameResult[]> {
    try {
      const questions = this.#merged(message);
      const shell = await this.#shell(message.identity);
      const timeoutMs = limits.aheadQuestionTimeoutMs;
      const { before = [], identity } = message;
      const frames = [...before, questionFrame(questions, { env: identity.env, timeoutMs })];
      const atMs = this.#options.now();
      const results = await shell.exchange(questions.length > 0 ? frames : before);
      const answers = answersOf(questions, results[before.length], true);
      const heard = { asked: questions, answers, epoch, atMs, isWhole: true };
      if (answers !== undefined)
        await this.#answered({ ...message, own: [] }, heard, { networkMs: 0, hostMs: 0 });
      return results.slice(0, before.length);
    } catch (error) {
      // R5: asked again, and then heard, at its task's turn.
      if (!(error instanceof ProvisionError)) throw error;
      return [];
    }
  }
}
