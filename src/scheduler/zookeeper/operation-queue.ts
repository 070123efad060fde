import type { JuteReader } from "./jute.ts";
import { type AnswerHead, frameRequest, type Request } from "./protocol.ts";
import { serverError, ZooKeeperError, type ZooKeeperErrorName } from "./zookeeper-error.ts";

export interface Submission<T> {
  /** For messages: `create /mesos`. */
  readonly action: string;
  readonly request: Request;
  readonly decode: (reader: JuteReader) => T;
  /** Changes nothing: asked again on the next connection if its answer was lost with this one. */
  readonly isRead?: boolean;
  /** Called while the answer is being read, before anything that follows it on the wire. 0 is success. */
  readonly onAnswer?: (error: number) => void;
}

interface Operation {
  readonly action: string;
  readonly request: Request;
  readonly isRead: boolean;
  readonly settle: (head: AnswerHead, reader: JuteReader) => void;
  readonly fail: (error: ZooKeeperError) => void;
  state: "queued" | "sent" | "done";
  xid: number;
  sentAt: number;
}

/** jute.maxbuffer of the servers, less what frames it. A larger request makes them cut the connection. */
export const maxRequestBytes = 1024 * 1024 - 1024;

export interface OperationLimits {
  readonly operationTimeoutMs: number;
  readonly maxOperations: number;
}

/**
 * Operations on their way: waiting for a connection, or sent and unanswered. Each ends in time. A change that was sent
 * when a connection broke is never sent again by itself, as nobody knows whether it was carried out.
 */
export class OperationQueue {
  readonly #limits: OperationLimits;
  #queued: Operation[] = [];
  #sent: Operation[] = [];
  #lastXid = 0;
  #closed: ZooKeeperErrorName | undefined;

  constructor(limits: OperationLimits) {
    this.#limits = limits;
  }

  add<T>({ action, request, decode, onAnswer, isRead = false }: Submission<T>): Promise<T> {
    const refused = this.#refusal(action, request);
    if (refused !== undefined) return Promise.reject(refused);
    return new Promise<T>((resolve, reject) => {
      const operation: Operation = {
        action,
        request,
        isRead,
        state: "queued",
        xid: 0,
        sentAt: 0,
        settle: (head, reader) => {
          clearTimeout(timer);
          try {
            onAnswer?.(head.error);
            if (head.error !== 0) reject(serverError(head.error, action));
            else resolve(decode(reader));
          } catch (cause) {
            const state = "ZooKeeper's answer cannot be read";
            reject(
              new ZooKeeperError({ reason: "MarshallingError", action, state, mayHaveHappened: true, cause }),
            );
            throw cause;
          }
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => this.#timeOut(operation), this.#limits.operationTimeoutMs);
      this.#queued.push(operation);
    });
  }

  /** The frames of all that waits; it counts as sent from now on. */
  takeFrames(now: number): Buffer[] {
    const taken = this.#queued;
    this.#queued = [];
    this.#sent.push(...taken);
    return taken.map((operation) => {
      this.#lastXid = this.#lastXid >= 0x7fff_fff0 ? 1 : this.#lastXid + 1;
      operation.state = "sent";
      operation.xid = this.#lastXid;
      operation.sentAt = now;
      return frameRequest(operation.xid, operation.request);
    });
  }

  /** Settles the operation that an answer is for, and gives when it was sent. Answers come in order. */
  answer(head: AnswerHead, reader: JuteReader): number {
    const [operation] = this.#sent;
    if (operation === undefined || operation.xid !== head.xid) {
      throw new Error(`Answer ${head.xid} came where ${operation?.xid ?? "none"} was due`);
    }
    this.#sent.shift();
    if (operation.state === "sent") {
      operation.state = "done";
      operation.settle(head, reader);
    }
    return operation.sentAt;
  }

  failInFlight(why: string): void {
    const lost = this.#sent;
    this.#sent = [];
    const reads = lost.filter(({ isRead, state }) => isRead && state === "sent");
    for (const read of reads) read.state = "queued";
    this.#queued.unshift(...reads);
    for (const operation of lost) {
      if (operation.isRead) continue;
      const state = `the connection was lost (${why}); it may have happened`;
      this.#fail(operation, "ConnectionLoss", { state, mayHaveHappened: true });
    }
  }

  failAll(reason: "SessionExpired" | "Closed", why: string): void {
    if (reason === "Closed") this.#closed = reason;
    const lost = [...this.#sent, ...this.#queued];
    this.#sent = [];
    this.#queued = [];
    for (const operation of lost) {
      this.#fail(operation, reason, { state: why, mayHaveHappened: mayHaveHappened(operation) });
    }
  }

  #refusal(action: string, request: Request): ZooKeeperError | undefined {
    const of = (reason: ZooKeeperErrorName, state: string): ZooKeeperError =>
      new ZooKeeperError({ reason, action, state });
    if (this.#closed !== undefined) return of("Closed", "the client is closed");
    if (request.body.length > maxRequestBytes) {
      return of(
        "TooLarge",
        `${request.body.length} bytes are more than ZooKeeper takes in one request (${maxRequestBytes})`,
      );
    }
    if (this.#queued.length + this.#sent.length < this.#limits.maxOperations) return undefined;
    return of("Busy", `${this.#limits.maxOperations} operations are waiting already`);
  }

  #timeOut(operation: Operation): void {
    const wasSent = operation.state === "sent";
    const uncertain = mayHaveHappened(operation);
    this.#queued = this.#queued.filter((each) => each !== operation);
    const within = `within ${this.#limits.operationTimeoutMs} ms`;
    const state = wasSent
      ? `ZooKeeper did not answer ${within}${uncertain ? "; it may have happened" : ""}`
      : `no ZooKeeper server could be reached ${within}`;
    this.#fail(operation, "Timeout", { state, mayHaveHappened: uncertain });
  }

  #fail(
    operation: Operation,
    reason: ZooKeeperErrorName,
    { state, mayHaveHappened }: { readonly state: string; readonly mayHaveHappened: boolean },
  ): void {
    if (operation.state === "done") return;
    operation.state = "done";
    operation.fail(new ZooKeeperError({ reason, action: operation.action, state, mayHaveHappened }));
  }
}

const mayHaveHappened = ({ state, isRead }: Operation): boolean => state === "sent" && !isRead;
