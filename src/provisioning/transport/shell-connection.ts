/**
 * One live sh on one channel: opens it, writes messages, gives results frame by frame. It never repeats anything; when
 * the shell can be used no longer, it says why, and live-shell.ts decides.
 */

import type { ProvisionError } from "../../base/errors.ts";
import { newNonce } from "../host/compile-questions.ts";
import { decodeHostText } from "../host/host-text.ts";
import { becomeFailed, type Launch } from "./become-command.ts";
import type { Channel } from "./channel.ts";
import { limits } from "./limits.ts";
import { MarkReader } from "./mark-reader.ts";
import { Outgoing } from "./outgoing.ts";
import type { Become, Frame, FrameResult, ShellProcess } from "./session.ts";
import { lost, neverSpoke, noPrintf, noShell, otherShell, tooMuch } from "./shell-problems.ts";
import { encodeMessage, preamble } from "./shell-text.ts";

export interface ShellOptions {
  readonly host: string;
  readonly become: Become | null;
  readonly launch: Launch;
  /** What the shell's first words kill: "PID", or "-GROUP PID" (after "--" dash reads no group). */
  readonly kill: readonly string[];
}

/** What became of a message: all done, or the shell is to be given up after `results`. */
export interface MessageOutcome {
  readonly results: readonly FrameResult[];
  /** `kill` ends what still runs there. `isHeld`: only the output of a step that ended well is still held open. */
  readonly retire?: { readonly kill: string; readonly isHeld: boolean };
}

type Side = "stdout" | "stderr";

interface SideState {
  readonly chunks: Buffer[];
  ended: boolean;
  clean: boolean;
}

interface FrameState {
  readonly stdout: SideState;
  readonly stderr: SideState;
  code: number;
  skipped: boolean;
  /** What the controller has to say to it. */
  note?: Buffer;
  /** When the last piece of its stream left. */
  sentAt?: number;
}

interface Pending {
  readonly frames: readonly Frame[];
  readonly firstId: number;
  readonly states: readonly FrameState[];
  /** The frame that each stream is at: one stream may be frames ahead of the other. */
  readonly at: Record<Side, number>;
  readonly results: FrameResult[];
  readonly resolve: (outcome: MessageOutcome) => void;
  readonly reject: (error: unknown) => void;
  startedAt: number;
  /** Held in memory for frames that are not done. */
  bytes: number;
  timer: NodeJS.Timeout | undefined;
}

/** Node's timers hold no more. */
const maxTimerMs = 2 ** 31 - 1;
const newSide = (): SideState => ({ chunks: [], ended: false, clean: false });
const newState = (): FrameState => ({ stdout: newSide(), stderr: newSide(), code: 0, skipped: false });

export class ShellConnection {
  readonly #channel: Channel;
  readonly #options: ShellOptions;
  readonly #nonce = newNonce();
  readonly #openTimer: NodeJS.Timeout;
  readonly #outgoing: Outgoing;
  #isReady: boolean;
  readonly #readers: Readonly<Record<Side, MarkReader>>;
  readonly #hasSpoken: Record<Side, boolean> = { stdout: false, stderr: false };
  #pid = "";
  #group = "";
  #startedAt = "";
  /** The connection ended before the message did. */
  #isCutOff = false;
  #chatter: Record<Side, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #passwordSent = false;
  #askedAgain = false;
  #isInterrupted = false;
  #pending: Pending | undefined;
  #nextId = 1;
  #dead: ProvisionError | undefined;
  /** The frame at which the shell was given up, and the streams that have since said the word that lets it go on. */
  #givenUp:
    | { readonly id: number; readonly word: "clean" | "end"; readonly said: Record<Side, boolean> }
    | undefined;

  constructor(channel: Channel, options: ShellOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#outgoing = new Outgoing(channel, this.#nonce, {
      progress: (id) => this.#onProgress(id),
      unreadable: (id, error) => this.#onUnreadable(id, error),
      failed: (error) => this.#fail(lost(options.host, String(error), error)),
    });
    this.#outgoing.push([Buffer.from(preamble(this.#nonce, options.kill))]);
    this.#isReady = options.launch.ready === undefined;
    this.#openTimer = setTimeout(() => this.#fail(neverSpoke(options.host)), limits.shellOpenTimeoutMs);
    const reader = (side: Side): MarkReader =>
      new MarkReader(this.#nonce, {
        data: (bytes) => this.#onData(side, bytes),
        mark: (words) => this.#onMark(side, words),
      });
    this.#readers = { stdout: reader("stdout"), stderr: reader("stderr") };
    channel.listen({
      stdout: (bytes) => this.#readers.stdout.feed(bytes),
      stderr: (bytes) => this.#readers.stderr.feed(bytes),
      closed: (code, why) => this.#fail(this.#endedEarly(code, why)),
    });
    if (this.#isReady) this.#outgoing.allow("text");
  }

  get isUsable(): boolean {
    return this.#dead === undefined;
  }

  /**
   * Given up, but then the frame came to its end after all: the shell may have begun the next one before it was killed.
   * A step's next frame never begins before both streams are clean; after a time-out any end is enough to doubt.
   */
  get mayHaveGoneOn(): boolean {
    const { word, said } = this.#givenUp ?? {};
    return word === "clean"
      ? said?.stdout === true && said.stderr
      : said?.stdout === true || said?.stderr === true;
  }

  /** On the host it may go on with what it was given. */
  get leftBehind(): ShellProcess | undefined {
    const process = { pid: this.#pid, startedAt: this.#startedAt };
    return this.#isCutOff && Object.values(process).every((word) => /^\d+$/.test(word)) ? process : undefined;
  }

  close(): void {
    this.#fail(lost(this.#options.host, "it was closed"));
    this.#channel.close();
  }

  /**
   * What runs now is ended on the host, as if its time were over. Who is sent a file is told that nothing more comes,
   * and is given the time to clear up.
   */
  interrupt(): void {
    const pending = this.#pending;
    if (!pending || !this.#isOpen()) return;
    if (pending.frames[pending.results.length]?.stream === undefined) {
      this.#onTimeout();
      return;
    }
    this.#isInterrupted = true;
    this.#outgoing.stop(pending.firstId + pending.results.length);
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => this.#onTimeout(), limits.clearUpMs);
  }

  /** One write. `succeeded` continues a message whose first frames ran in another shell. */
  send(frames: readonly Frame[], succeeded: boolean): Promise<MessageOutcome> {
    if (this.#dead) return Promise.reject(this.#dead);
    if (this.#pending) return Promise.reject(new Error("a message is still under way in this shell"));
    return new Promise((resolve, reject) => {
      this.#isInterrupted = false;
      const firstId = this.#nextId;
      this.#nextId += frames.length;
      this.#pending = {
        ...{ frames, firstId, resolve, reject, results: [], bytes: 0, timer: undefined },
        ...{ states: frames.map(newState), at: { stdout: 0, stderr: 0 }, startedAt: performance.now() },
      };
      this.#outgoing.push(encodeMessage(frames, firstId, succeeded));
      this.#armTimeout();
    });
  }

  #onProgress(id: number): void {
    const pending = this.#pending;
    const state = pending?.states[id - pending.firstId];
    if (!pending || !state) return;
    state.sentAt = performance.now();
    const isCurrent = pending.firstId + pending.results.length === id;
    if (isCurrent && !this.#isInterrupted && !state.stdout.ended) this.#armTimeout();
  }

  #onUnreadable(id: number, error: Error): void {
    const state = this.#pending?.states[id - this.#pending.firstId];
    if (state !== undefined) state.note = Buffer.from(`\nprovision: ${error.message}\n`);
  }

  /** A frame's time runs while the host works on it; opening the shell has a limit of its own. */
  #armTimeout(): void {
    const pending = this.#pending;
    const frame = pending?.frames[pending.results.length];
    if (!pending || !frame || !this.#isOpen()) return;
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => this.#onTimeout(), Math.min(frame.timeoutMs, maxTimerMs));
  }

  #isOpen(): boolean {
    return this.#hasSpoken.stdout && this.#hasSpoken.stderr;
  }

  #onTimeout(): void {
    const pending = this.#pending;
    if (!pending) return;
    const state = pending.states[pending.results.length] ?? newState();
    const said = { stdout: state.stdout.ended, stderr: state.stderr.ended };
    this.#givenUp = { id: pending.firstId + pending.results.length, word: "end", said };
    this.#readers.stdout.flush();
    this.#readers.stderr.flush();
    pending.results.push(this.#result(pending, true));
    this.#retire(`-${this.#group} ${this.#pid}`, false);
  }

  #retire(kill: string, isHeld: boolean): void {
    const pending = this.#pending;
    this.#pending = undefined;
    clearTimeout(pending?.timer);
    this.#dead = lost(this.#options.host, "the shell was given up");
    this.#outgoing.close();
    pending?.resolve({ results: pending.results, retire: { kill, isHeld } });
  }

  #result(pending: Pending, timedOut: boolean): FrameResult {
    const state = pending.states[pending.results.length] ?? newState();
    return {
      skipped: state.skipped,
      timedOut,
      code: timedOut ? -1 : state.code,
      stdout: joined(state.stdout.chunks),
      stderr: joined([...state.stderr.chunks, ...(state.note === undefined ? [] : [state.note])]),
      elapsedMs: performance.now() - pending.startedAt,
      ...(state.sentAt === undefined ? {} : { sendingMs: Math.max(0, state.sentAt - pending.startedAt) }),
    };
  }

  #onData(side: Side, bytes: Buffer): void {
    if (!this.#hasSpoken[side]) {
      this.#onChatter(side, bytes);
      return;
    }
    const pending = this.#pending;
    const state = pending?.states[pending.at[side]]?.[side];
    if (!pending || !state || state.ended) return;
    pending.bytes += bytes.length;
    if (pending.bytes > limits.frameOutputBytes) this.#fail(tooMuch(this.#options.host));
    else state.chunks.push(bytes);
  }

  /**
   * What comes before the shell's own first word: a login shell's greetings, sudo's prompt, a refusal. `ready` is
   * waited for without its newline, which might still begin a mark.
   */
  #onChatter(side: Side, bytes: Buffer): void {
    const heard = Buffer.concat([this.#chatter[side], bytes]).subarray(-limits.chatterBytes);
    this.#chatter[side] = heard;
    const { prompt, ready } = this.#options.launch;
    if (side === "stdout" && ready !== undefined && !this.#isReady && heard.includes(ready)) {
      this.#isReady = true;
      this.#outgoing.allow("text");
    }
    if (side === "stderr" && prompt && !this.#isReady) this.#answerPrompt(prompt, decodeHostText(heard));
  }

  #answerPrompt(prompt: NonNullable<Launch["prompt"]>, heard: string): void {
    const isAsked = typeof prompt.text === "string" ? heard.endsWith(prompt.text) : prompt.text.test(heard);
    if (!isAsked) return;
    if (this.#passwordSent) {
      this.#askedAgain = true;
      this.#fail(this.#endedEarly(1, "the password was refused"));
      return;
    }
    this.#passwordSent = true;
    this.#channel
      .write(Buffer.from(`${prompt.password}\n`))
      .catch((error: unknown) => this.#fail(lost(this.#options.host, String(error), error)));
  }

  #onMark(side: Side, [word, first = "", second = "", third, fourth, fifth = ""]: readonly string[]): void {
    if (word === "hello") {
      this.#hasSpoken[side] = true;
      const { word: expected } = this.#options.launch;
      if (expected !== undefined && fourth !== expected) this.#fail(otherShell(this.#options));
      else this.#onHello(first, second, third);
      this.#startedAt = fifth;
      return;
    }
    if (word === "enough" || word === "skip") this.#outgoing.stop(Number(first));
    if (word === "enough") return;
    const given = this.#givenUp;
    if (given && word === given.word && Number(first) === given.id) given.said[side] = true;
    const pending = this.#pending;
    if (!pending || Number(first) !== pending.firstId + pending.at[side]) return;
    const state = pending.states[pending.at[side]];
    if (!state) return;
    if (word === "clean") state[side].clean = true;
    else {
      state[side].ended = true;
      state.code = Number(second);
      state.skipped = word === "skip";
      if (state.skipped || pending.frames[pending.at[side]]?.kind === "ask") state[side].clean = true;
    }
    if (state[side].clean) pending.at[side] += 1;
    this.#advance(pending);
  }

  #onHello(pid: string, group: string, printf: string | undefined): void {
    this.#pid = pid;
    this.#group = group;
    if (printf !== "builtin") this.#fail(noPrintf(this.#options.host));
    if (!this.#isOpen()) return;
    clearTimeout(this.#openTimer);
    this.#outgoing.allow("all");
    this.#armTimeout();
  }

  #advance(pending: Pending): void {
    const before = pending.results.length;
    for (let state = pending.states[before]; state?.stdout.clean && state.stderr.clean; ) {
      this.#finishFrame(pending);
      state = pending.states[pending.results.length];
    }
    const current = pending.states[pending.results.length];
    if (!current) {
      clearTimeout(pending.timer);
      this.#pending = undefined;
      pending.resolve({ results: pending.results });
    } else if (this.#isInterrupted && pending.results.at(-1)?.code === 0) this.#onTimeout();
    else if (current.stdout.ended && current.stderr.ended) {
      clearTimeout(pending.timer);
      pending.timer = setTimeout(() => this.#onUnclean(), limits.cleanTimeoutMs);
    } else if (pending.results.length > before) this.#armTimeout();
  }

  #finishFrame(pending: Pending): void {
    const result = this.#result(pending, false);
    pending.results.push(result);
    pending.startedAt = performance.now();
    pending.bytes -= result.stdout.length + result.stderr.length;
  }

  /**
   * Somebody still holds the step's output: a daemon, perhaps. It keeps its pipe (and the channel stays open for it);
   * only the shell itself is given up.
   */
  #onUnclean(): void {
    const pending = this.#pending;
    const state = pending?.states[pending.results.length];
    if (!pending || !state) return;
    const said = { stdout: state.stdout.clean, stderr: state.stderr.clean };
    this.#givenUp = { id: pending.firstId + pending.results.length, word: "clean", said };
    this.#finishFrame(pending);
    this.#retire(this.#pid, true);
  }

  #fail(error: ProvisionError): void {
    if (this.#dead) return;
    this.#dead = error;
    this.#outgoing.close();
    clearTimeout(this.#openTimer);
    this.#channel.close();
    const pending = this.#pending;
    this.#pending = undefined;
    this.#isCutOff = pending !== undefined;
    clearTimeout(pending?.timer);
    pending?.reject(error);
  }

  #endedEarly(code: number | null, why: string): ProvisionError {
    const { become, host } = this.#options;
    if (this.#pid !== "" || code === null) return lost(host, why);
    const heard = {
      stdout: decodeHostText(this.#chatter.stdout),
      stderr: decodeHostText(this.#chatter.stderr),
    };
    if (!become) return noShell(host, code, heard);
    const asked = { passwordSent: this.#passwordSent, askedAgain: this.#askedAgain };
    return becomeFailed({ become, host, stderr: heard.stderr, ...asked });
  }
}

const joined = (chunks: readonly Buffer[]): Buffer =>
  chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
