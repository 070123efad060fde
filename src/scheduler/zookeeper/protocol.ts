/** The wire of ZooKeeper 3.4–3.9: requests as bytes, answers as values. No I/O, no state. */
import { JuteReader, JuteWriter } from "./jute.ts";

const opcode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  sync: 9,
  ping: 11,
  getChildren: 12,
  check: 13,
  multi: 14,
  auth: 100,
  setWatches: 101,
  error: -1,
  close: -11,
} as const;

/** Answers that belong to no request of ours carry these instead of its number. */
export const xid = { watchEvent: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export interface Stat {
  readonly createdZxid: bigint;
  readonly modifiedZxid: bigint;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly version: number;
  readonly childrenVersion: number;
  readonly aclVersion: number;
  /** The session that holds it; 0 for a persistent node. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly childrenCount: number;
}

export interface Acl {
  /** Bits: read 1, write 2, create 4, delete 8, admin 16. */
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

const allPermissions = 31;
const readPermission = 1;
export const openAcl: readonly Acl[] = [{ permissions: allPermissions, scheme: "world", id: "anyone" }];
/** Who created it may do all, everybody may read: what Mesos and Marathon use with credentials. */
export const creatorAllAnyoneReadAcl: readonly Acl[] = [
  { permissions: allPermissions, scheme: "auth", id: "" },
  { permissions: readPermission, scheme: "world", id: "anyone" },
];

export type CreateMode = "persistent" | "ephemeral" | "persistent-sequential" | "ephemeral-sequential";
const createFlags: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  "persistent-sequential": 2,
  "ephemeral-sequential": 3,
};

export type MultiOperation =
  | {
      readonly op: "create";
      readonly path: string;
      readonly data: Uint8Array;
      readonly mode: CreateMode;
      readonly acl: readonly Acl[];
    }
  | { readonly op: "delete"; readonly path: string; readonly version: number }
  | { readonly op: "set"; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly op: "check"; readonly path: string; readonly version: number };

export type MultiResult =
  | { readonly op: "create"; readonly path: string }
  | { readonly op: "set"; readonly stat: Stat }
  | { readonly op: "delete" | "check" }
  | { readonly op: "error"; readonly error: number };

export interface ConnectRequest {
  readonly lastZxid: bigint;
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

export interface ConnectAnswer {
  /** 0 or less: the session has expired. */
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
}

export const encodeConnect = (request: ConnectRequest): Buffer =>
  new JuteWriter()
    .int(0)
    .long(request.lastZxid)
    .int(request.timeoutMs)
    .long(request.sessionId)
    .buffer(request.password)
    .bool(false)
    .finish();

export function decodeConnect(bytes: Buffer): ConnectAnswer {
  const reader = new JuteReader(bytes);
  reader.int();
  return { timeoutMs: reader.int(), sessionId: reader.long(), password: reader.buffer() };
}

export interface AnswerHead {
  readonly xid: number;
  readonly zxid: bigint;
  readonly error: number;
}

export const readHead = (reader: JuteReader): AnswerHead => ({
  xid: reader.int(),
  zxid: reader.long(),
  error: reader.int(),
});

export type WatchEventType = "created" | "deleted" | "changed" | "children";
const eventTypes: Readonly<Record<number, WatchEventType>> = {
  1: "created",
  2: "deleted",
  3: "changed",
  4: "children",
};

/** Undefined for events about the session, which the client knows better by itself. */
export function readWatchEvent(
  reader: JuteReader,
): { readonly type: WatchEventType; readonly path: string } | undefined {
  const type = eventTypes[reader.int()];
  reader.int();
  const path = reader.string();
  return type === undefined ? undefined : { type, path };
}

/** A request without its number: the number is given when it is sent. */
export interface Request {
  readonly opcode: number;
  readonly body: Buffer;
}

const request = (code: number, write: (writer: JuteWriter) => void): Request => {
  const writer = new JuteWriter();
  write(writer);
  return { opcode: code, body: writer.finish() };
};

export function frameRequest(number: number, { opcode: code, body }: Request): Buffer {
  const frame = Buffer.allocUnsafe(12 + body.length);
  frame.writeInt32BE(8 + body.length, 0);
  frame.writeInt32BE(number, 4);
  frame.writeInt32BE(code, 8);
  frame.set(body, 12);
  return frame;
}

const writeAcl = (writer: JuteWriter, acl: readonly Acl[]): JuteWriter =>
  writer.vector(acl, (entry) => writer.int(entry.permissions).string(entry.scheme).string(entry.id));

const writeCreate = (
  writer: JuteWriter,
  { path, data, acl, mode }: Extract<MultiOperation, { op: "create" }>,
): void => {
  writeAcl(writer.string(path).buffer(data), acl).int(createFlags[mode]);
};

export const requests = {
  create: (operation: Extract<MultiOperation, { op: "create" }>) =>
    request(opcode.create, (writer) => writeCreate(writer, operation)),
  delete: (path: string, version: number) =>
    request(opcode.delete, (writer) => writer.string(path).int(version)),
  exists: (path: string, watch: boolean) =>
    request(opcode.exists, (writer) => writer.string(path).bool(watch)),
  getData: (path: string, watch: boolean) =>
    request(opcode.getData, (writer) => writer.string(path).bool(watch)),
  getChildren: (path: string, watch: boolean) =>
    request(opcode.getChildren, (writer) => writer.string(path).bool(watch)),
  setData: (path: string, data: Uint8Array, version: number) =>
    request(opcode.setData, (writer) => writer.string(path).buffer(data).int(version)),
  getAcl: (path: string) => request(opcode.getAcl, (writer) => writer.string(path)),
  setAcl: (path: string, acl: readonly Acl[], version: number) =>
    request(opcode.setAcl, (writer) => writeAcl(writer.string(path), acl).int(version)),
  sync: (path: string) => request(opcode.sync, (writer) => writer.string(path)),
  ping: () => request(opcode.ping, () => undefined),
  close: () => request(opcode.close, () => undefined),
  auth: (scheme: string, credentials: string) =>
    request(opcode.auth, (writer) => writer.int(0).string(scheme).buffer(Buffer.from(credentials))),
  setWatches: (watches: WatchedPaths) =>
    request(opcode.setWatches, (writer) => {
      writer.long(watches.lastZxid);
      for (const paths of [watches.data, watches.exists, watches.children]) {
        writer.vector(paths, (path) => writer.string(path));
      }
    }),
  multi: (operations: readonly MultiOperation[]) =>
    request(opcode.multi, (writer) => writeMulti(writer, operations)),
};

export interface WatchedPaths {
  readonly lastZxid: bigint;
  readonly data: readonly string[];
  readonly exists: readonly string[];
  readonly children: readonly string[];
}

const multiOpcode = {
  create: opcode.create,
  delete: opcode.delete,
  set: opcode.setData,
  check: opcode.check,
} as const;

function writeMulti(writer: JuteWriter, operations: readonly MultiOperation[]): void {
  for (const operation of operations) {
    writer.int(multiOpcode[operation.op]).bool(false).int(-1);
    if (operation.op === "create") writeCreate(writer, operation);
    else if (operation.op === "set") {
      writer.string(operation.path).buffer(operation.data).int(operation.version);
    } else writer.string(operation.path).int(operation.version);
  }
  writer.int(-1).bool(true).int(-1);
}

export function readMulti(reader: JuteReader): MultiResult[] {
  const results: MultiResult[] = [];
  for (;;) {
    const type = reader.int();
    const isDone = reader.bool();
    reader.int();
    if (isDone) return results;
    results.push(readMultiResult(type, reader));
  }
}

function readMultiResult(type: number, reader: JuteReader): MultiResult {
  if (type === opcode.create) return { op: "create", path: reader.string() };
  if (type === opcode.setData) return { op: "set", stat: readStat(reader) };
  if (type === opcode.error) return { op: "error", error: reader.int() };
  return { op: type === opcode.delete ? "delete" : "check" };
}

export const readAcl = (reader: JuteReader): Acl[] =>
  reader.vector(() => ({ permissions: reader.int(), scheme: reader.string(), id: reader.string() }));

export function readStat(reader: JuteReader): Stat {
  const createdZxid = reader.long();
  const modifiedZxid = reader.long();
  const createdAt = Number(reader.long());
  const modifiedAt = Number(reader.long());
  const version = reader.int();
  const childrenVersion = reader.int();
  const aclVersion = reader.int();
  const ephemeralOwner = reader.long();
  const dataLength = reader.int();
  const childrenCount = reader.int();
  reader.long();
  return {
    createdZxid,
    modifiedZxid,
    createdAt,
    modifiedAt,
    version,
    childrenVersion,
    aclVersion,
    ephemeralOwner,
    dataLength,
    childrenCount,
  };
}
