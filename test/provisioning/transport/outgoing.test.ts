import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { Channel } from "../../../src/provisioning/transport/channel.ts";
import { limits } from "../../../src/provisioning/transport/limits.ts";
import { Outgoing } from "../../../src/provisioning/transport/outgoing.ts";

/** Takes a write and says when there is room for more. */
function slowChannel() {
  const written: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const channel: Channel = {
    write: (bytes) => {
      written.push(Buffer.from(bytes));
      return new Promise((resolve) => waiting.push(resolve));
    },
    listen: () => undefined,
    hold: () => undefined,
    close: () => undefined,
  };
  const take = async (): Promise<void> => {
    for (const resolve of waiting.splice(0)) resolve();
    for (let i = 0; i < 20; i++) await turn();
  };
  return { channel, written, take };
}
const events = () => ({ progress: vi.fn(), unreadable: vi.fn(), failed: vi.fn() });
const text = (word: string): Buffer => Buffer.from(word);
const size = limits.transferChunkBytes;

describe("what leaves for a shell", () => {
  test("is nothing before it may be spoken to, and no file before it is known who reads", async () => {
    const { channel, written, take } = slowChannel();
    const out = new Outgoing(channel, "n", events());
    const stream = { from: text("file"), sizeBytes: 4 };
    out.push([text("one "), text("two"), { id: 1, stream }, text("three")]);
    expect(written).toEqual([]);
    out.allow("text");
    expect(String(written[0])).toBe("one two");
    await take();
    expect(written).toHaveLength(1);
    out.allow("all");
    for (let i = 0; i < 4; i++) await take();
    expect(written.map(String)).toEqual(["one two", "n 4\nfile", "n 0\n", "three"]);
  });

  test("is of a file only as much as the other side takes: a long one is never in memory", async () => {
    const { channel, written, take } = slowChannel();
    const told = events();
    const out = new Outgoing(channel, "n", told);
    out.allow("all");
    out.push([{ id: 7, stream: { from: Buffer.alloc(5 * size), sizeBytes: 5 * size } }]);
    for (let pieces = 1; pieces <= 5; pieces++) {
      for (let i = 0; i < 20; i++) await turn();
      expect(written).toHaveLength(pieces);
      await take();
    }
    expect(told.progress.mock.calls).toEqual(Array(5).fill([7]));
  });

  test("of a file that nobody wants any more is its end alone, and what follows goes on", async () => {
    const { channel, written, take } = slowChannel();
    const out = new Outgoing(channel, "n", events());
    out.allow("all");
    const stream = { from: Buffer.alloc(5 * size), sizeBytes: 5 * size };
    out.push([{ id: 1, stream }, { id: 2, stream }, text("next")]);
    await take();
    out.stop(1);
    out.stop(2);
    for (let i = 0; i < 5; i++) await take();
    expect(written.slice(-3).map(String)).toEqual(["n 0\n", "n 0\n", "next"]);
    expect(written.length).toBeLessThanOrEqual(5);
  });

  test("of a file that cannot be read is what could be, and the reason is told", async () => {
    const { channel, written, take } = slowChannel();
    const told = events();
    const out = new Outgoing(channel, "n", told);
    out.allow("all");
    out.push([{ id: 3, stream: { from: "/no/such/file", sizeBytes: 9 } }]);
    await vi.waitFor(() => expect(written.map(String)).toEqual(["n 0\n"]));
    await take();
    expect(told.unreadable).toHaveBeenCalledWith(3, expect.objectContaining({ code: "ENOENT" }));
    expect(told.failed).not.toHaveBeenCalled();
  });

  test("of a file that grew meanwhile is what was promised", async () => {
    const folder = mkdtempSync(join(tmpdir(), "provision-outgoing-"));
    const { channel, written, take } = slowChannel();
    writeFileSync(join(folder, "f"), "longer than it was");
    const out = new Outgoing(channel, "n", events());
    out.allow("all");
    out.push([{ id: 1, stream: { from: join(folder, "f"), sizeBytes: 6 } }]);
    await vi.waitFor(() => expect(written.map(String)).toEqual(["n 6\nlonger"]));
    await take();
    await vi.waitFor(() => expect(written.map(String)).toEqual(["n 6\nlonger", "n 0\n"]));
    rmSync(folder, { recursive: true });
  });

  test("is nothing once it is closed", async () => {
    const { channel, written, take } = slowChannel();
    const out = new Outgoing(channel, "n", events());
    out.allow("all");
    out.push([{ id: 1, stream: { from: Buffer.alloc(3 * size), sizeBytes: 3 * size } }, text("next")]);
    for (let i = 0; i < 20; i++) await turn();
    out.close();
    for (let i = 0; i < 5; i++) await take();
    expect(written).toHaveLength(1);
  });
});
