import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/provisioning/transport/limits.ts";
import { listenTo } from "../../../src/provisioning/transport/listen.ts";

const hear = (pattern: string, forMs: number, talk: (peer: PassThrough) => void) => {
  const peer = new PassThrough();
  const heard = listenTo(peer, { pattern, forMs });
  talk(peer);
  return heard.then((bytes) => Buffer.from(bytes).toString());
};
const longMs = 60_000;

describe("listening to what a peer says by itself", () => {
  test("ends as soon as the pattern matches, over the pieces in which it comes", async () => {
    const said = await hear("^ready (\\d+)", longMs, (peer) => {
      peer.write("starting\nrea");
      peer.write("dy 7");
    });
    expect(said).toBe("starting\nready 7");
  });

  test("ends when the peer has ended", async () => {
    expect(await hear("ready", longMs, (peer) => peer.end("bye"))).toBe("bye");
  });

  test("ends when the connection is lost", async () => {
    expect(await hear("ready", longMs, (peer) => peer.destroy())).toBe("");
  });

  test("ends when the time is over, with what was said until then", async () => {
    expect(await hear("ready", 20, (peer) => peer.write("not yet"))).toBe("not yet");
  });

  test("never keeps more than its limit and one piece", async () => {
    const piece = "x".repeat(256 * 1024);
    const said = await hear("ready", longMs, (peer) => {
      for (let at = 0; at < 20; at++) peer.write(piece);
    });
    expect(said.length).toBeGreaterThan(limits.listenBytes);
    expect(said.length).toBeLessThanOrEqual(limits.listenBytes + piece.length);
  });

  test("a pattern that cannot be read, or takes too long, ends it: its module says so", async () => {
    expect(await hear("(", longMs, (peer) => peer.write("x"))).toBe("");
    const slow = `${"a".repeat(40)}!`;
    expect(await hear("^(a+)+$", longMs, (peer) => peer.write(slow))).toBe(slow);
  });
});
