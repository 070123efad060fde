/** The server's error numbers by name. `TooLarge`, `Timeout`, `Busy` and `Closed` are the client's own. */
const namesByNumber: Readonly<Record<number, ServerErrorName>> = {
  [-1]: "SystemError",
  [-2]: "RuntimeInconsistency",
  [-4]: "ConnectionLoss",
  [-5]: "MarshallingError",
  [-6]: "Unimplemented",
  [-7]: "OperationTimeout",
  [-8]: "BadArguments",
  [-101]: "NoNode",
  [-102]: "NoAuth",
  [-103]: "BadVersion",
  [-108]: "NoChildrenForEphemerals",
  [-110]: "NodeExists",
  [-111]: "NotEmpty",
  [-112]: "SessionExpired",
  [-113]: "InvalidCallback",
  [-114]: "InvalidAcl",
  [-115]: "AuthFailed",
  [-118]: "SessionMoved",
  [-119]: "NotReadOnly",
  [-125]: "QuotaExceeded",
  [-127]: "Throttled",
};

export type ServerErrorName =
  | "SystemError"
  | "RuntimeInconsistency"
  | "ConnectionLoss"
  | "MarshallingError"
  | "Unimplemented"
  | "OperationTimeout"
  | "BadArguments"
  | "NoNode"
  | "NoAuth"
  | "BadVersion"
  | "NoChildrenForEphemerals"
  | "NodeExists"
  | "NotEmpty"
  | "SessionExpired"
  | "InvalidCallback"
  | "InvalidAcl"
  | "AuthFailed"
  | "SessionMoved"
  | "NotReadOnly"
  | "QuotaExceeded"
  | "Throttled";

export type ZooKeeperErrorName = ServerErrorName | "TooLarge" | "Timeout" | "Busy" | "Closed" | "Unknown";

export interface ZooKeeperErrorFields {
  readonly reason: ZooKeeperErrorName;
  /** What was tried: `create /mesos`. */
  readonly action: string;
  readonly state: string;
  /** Whether the server may have carried it out all the same. Never retry such a thing unless it is idempotent. */
  readonly mayHaveHappened?: boolean;
  /** In a multi: which operation stood in the way. */
  readonly operationIndex?: number;
  readonly cause?: unknown;
}

export class ZooKeeperError extends Error {
  override readonly name = "ZooKeeperError";
  readonly reason: ZooKeeperErrorName;
  readonly mayHaveHappened: boolean;
  readonly operationIndex: number | undefined;

  constructor(fields: ZooKeeperErrorFields) {
    super(`Cannot ${fields.action}: ${fields.state}`, { cause: fields.cause });
    this.reason = fields.reason;
    this.mayHaveHappened = fields.mayHaveHappened ?? false;
    this.operationIndex = fields.operationIndex;
  }
}

const words: Partial<Record<ServerErrorName, string>> = {
  NoNode: "the node does not exist",
  NodeExists: "the node exists already",
  BadVersion: "the node was changed by somebody else",
  NotEmpty: "the node has children",
  NoAuth: "ZooKeeper does not permit it with these credentials",
  NoChildrenForEphemerals: "an ephemeral node cannot have children",
  SessionExpired: "the session has expired",
  AuthFailed: "ZooKeeper refused the credentials",
  InvalidAcl: "the access list is not valid",
  QuotaExceeded: "the quota is used up",
};

export function serverError(number: number, action: string, operationIndex?: number): ZooKeeperError {
  const reason = namesByNumber[number] ?? "Unknown";
  const said = reason === "Unknown" ? `ZooKeeper answered error ${number}` : `ZooKeeper answered ${reason}`;
  const state = reason === "Unknown" ? said : (words[reason] ?? said);
  return new ZooKeeperError({
    reason,
    action,
    state,
    ...(operationIndex === undefined ? {} : { operationIndex }),
  });
}

/** Whether `error` is ZooKeeper's, for one of these reasons. */
export const isZooKeeperError = (
  error: unknown,
  ...reasons: readonly ZooKeeperErrorName[]
): error is ZooKeeperError =>
  error instanceof ZooKeeperError && (reasons.length === 0 || reasons.includes(error.reason));

/** The connection, not the request, was at fault: the same may work later. */
export const isUnavailable = (error: unknown): error is ZooKeeperError =>
  isZooKeeperError(error, "ConnectionLoss", "Timeout", "Busy", "SessionExpired", "Throttled", "Closed");
