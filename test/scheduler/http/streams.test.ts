import { afterEach, describe, expect, test } from "vitest";
import {
  EventDecoder,
  type EventWriter,
  eventStreamResponse,
  frameEvent,
} from "../../../src/scheduler/http/event-stream.ts";
import { createServer, type HttpServer } from "../../../src/scheduler/http/http-server.ts";
import { openEventStream, openRecordStream, StreamRefused } from "../../../src/scheduler/http/open-stream.ts";
import { encodeRecord, RecordDecoder } from "../../../src/scheduler/http/record-io.ts";
import { type RecordWriter, recordStreamResponse } from "../../../src/scheduler/http/record-stream.ts";
import fc from "../../support/property.ts";

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** The same bytes in pieces of the given sizes, over and over. */
function inPieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
const pieceSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe("RecordIO", () => {
  test("records survive any cutting into chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), pieceSizes, (records, sizes) => {
        const decoder = new RecordDecoder();
        const wire = Buffer.concat(records.map(encodeRecord));
        const found = inPieces(wire, sizes).flatMap((piece) => decoder.push(piece));
        expect(found.map((record) => [...record])).toEqual(records.map((record) => [...record]));
        expect(decoder.isBetweenRecords).toBe(true);
      }),
    );
  });

  test("the length counts bytes, not characters", () => {
    expect(encodeRecord("ü").toString()).toBe("2\nü");
  });

  test.each([
    ["x1\n", "length is"],
    ["-1\n", "length is"],
    ["101\n", "more than 100"],
    ["1".repeat(21), "too many digits"],
  ])("%j is refused", (wire, why) => {
    expect(() => new RecordDecoder(100).push(Buffer.from(wire))).toThrow(why);
  });
});

describe("server-sent events", () => {
  test("the framing is Jetty's", () => {
    expect(frameEvent("status_update_event", '{"a":1}')).toBe(
      'event: status_update_event\r\ndata: {"a":1}\r\n\r\n',
    );
  });

  test("events survive any cutting into chunks", () => {
    const event = fc.record({
      event: fc.stringMatching(/^[a-z_]{1,10}$/),
      data: fc.string().map((text) => text.replace(/\r\n?/g, "\n")),
    });
    fc.assert(
      fc.property(fc.array(event), pieceSizes, (events, sizes) => {
        const decoder = new EventDecoder();
        const wire = events.map(({ event: type, data }) => `\r\n${frameEvent(type, data)}`).join("");
        const text = new TextDecoder();
        const found = inPieces(Buffer.from(wire), sizes).flatMap((piece) =>
          decoder.push(text.decode(piece, { stream: true })),
        );
        expect(found).toEqual(events);
      }),
    );
  });

  test("LF line ends, comments and unknown fields of other servers are understood", () => {
    const decoder = new EventDecoder();
    expect(decoder.push(": hi\nid: 7\ndata:a\ndata: b\n\nevent: x\n\n")).toEqual([
      { event: "message", data: "a\nb" },
    ]);
  });
});

describe("over the wire", () => {
  async function serve(onRecords: (writer: RecordWriter) => void, onEvents: (writer: EventWriter) => void) {
    const server = createServer({
      limits: { closeGraceMs: 50 },
      routes: [
        {
          method: "POST",
          path: "/records",
          handle: () => recordStreamResponse("application/json", { "Mesos-Stream-Id": "s1" }, onRecords),
        },
        {
          method: "GET",
          path: "/events",
          handle: () => eventStreamResponse({ heartbeatMs: 5, start: onEvents }),
        },
      ],
    });
    servers.push(server);
    return `http://127.0.0.1:${(await server.listen(0, "127.0.0.1")).port}`;
  }

  test("records arrive in order, and the stream ends when the server ends it", async () => {
    const url = await serve(
      (writer) => {
        for (const record of ["a", "bb", "ü"]) writer.send(record);
        writer.end();
      },
      () => undefined,
    );
    const records: string[] = [];
    const stream = await openRecordStream({
      url: `${url}/records`,
      body: "{}",
      onRecord: (record) => records.push(record.toString()),
    });
    await stream.done;
    expect([stream.headers["mesos-stream-id"], records]).toEqual(["s1", ["a", "bb", "ü"]]);
  });

  test("the server learns that a client has gone, the client that a stream is refused", async () => {
    let gone: () => void = () => undefined;
    const isGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const url = await serve(
      (writer) => writer.closed.addEventListener("abort", gone),
      () => undefined,
    );
    const stop = new AbortController();
    const options = { body: "{}", signal: stop.signal, onRecord: () => undefined };
    const stream = await openRecordStream({ url: `${url}/records`, ...options });
    stop.abort();
    await Promise.all([isGone, stream.done]);
    await expect(
      openRecordStream({ url: `${url}/other`, body: "{}", onRecord: () => undefined }),
    ).rejects.toThrow(StreamRefused);
  });

  test("a quiet event stream still shows life", async () => {
    const url = await serve(
      () => undefined,
      (writer) => writer.send("e", "1"),
    );
    const events: unknown[] = [];
    let beats = 0;
    const stream = await new Promise<{ close(): void }>((resolve, reject) => {
      const opened = openEventStream({
        url: `${url}/events`,
        onEvent: (event) => events.push(event),
        onActivity: () => {
          beats += 1;
          if (beats > 3) opened.then(resolve, reject);
        },
      });
      opened.catch(reject);
    });
    stream.close();
    expect(events).toEqual([{ event: "e", data: "1" }]);
  });

  test("a stream that breaks off rejects, one that falls silent too", async () => {
    const url = await serve(
      (writer) => void writer.send("a"),
      () => undefined,
    );
    const silent = await openRecordStream({
      url: `${url}/records`,
      body: "{}",
      silenceTimeoutMs: 30,
      onRecord: () => undefined,
    });
    await expect(silent.done).rejects.toThrow("silent");
    const cut = await openRecordStream({ url: `${url}/records`, body: "{}", onRecord: () => undefined });
    const broken = expect(cut.done).rejects.toThrow("broke off");
    await servers[0]?.close();
    await broken;
  });
});
