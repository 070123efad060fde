import { Writable } from "node:stream";
import { setImmediate as soon } from "node:timers/promises";
import type { Client } from "ssh2";
import { describe, expect, test } from "vitest";
import {
  EarlyInput,
  gatherWrites,
  leaveKeysUnproven,
  signAtOnce,
} from "../../../src/provisioning/transport/ssh-ahead.ts";

/** As much of ssh2's client as is used: what left, in order, and channels that open when told. */
class FakeClient {
  readonly left: string[] = [];
  readonly _remoteVer: string;
  readonly _chanMgr = { _channels: {} as Record<number, unknown> };
  readonly _protocol = {
    exec: (id: number, command: string) => void this.left.push(`exec ${id} ${command}`),
    channelData: (id: number, bytes: Uint8Array) => void this.left.push(`data ${id} ${bytes.length}`),
    authPK: (_user: string, _key: unknown, algorithm: string | undefined, sign?: unknown) =>
      void this.left.push(`${sign === undefined ? "ask" : "sign"} ${algorithm ?? "plain"}`),
  };

  constructor(remote = "OpenSSH_9.2p1") {
    this._remoteVer = remote;
  }

  reserve(own: number): void {
    this._chanMgr._channels[own] = () => undefined;
  }

  confirm(own: number, remote: number, window: number, packetSize = 32_768) {
    const channel = { incoming: { id: own }, outgoing: { id: remote, window, packetSize } };
    this._chanMgr._channels[own] = channel;
    this._protocol.exec(remote, "sh");
    return channel;
  }
}

const clientOf = (fake: object): Client => fake as Client;
const inputOf = (bytes: number) => {
  let left = bytes;
  return {
    take: (most: number): Uint8Array => {
      const taken = Math.min(most, left);
      left -= taken;
      return new Uint8Array(taken);
    },
    left: () => left,
  };
};

describe("a program's first input", () => {
  test("leaves behind the request, and OpenSSH's window pays for it later", () => {
    const fake = new FakeClient();
    const early = new EarlyInput(clientOf(fake));
    early.during(inputOf(5_000), () => fake.reserve(0));
    const channel = fake.confirm(0, 7, 0);
    expect(fake.left).toEqual(["exec 7 sh", "data 7 5000"]);
    channel.outgoing.window += 2_000_000;
    early.started(channel);
    expect(channel.outgoing.window).toBe(1_995_000);
  });

  test.each([
    ["OpenSSH opens the window", "OpenSSH_9.2p1", 0, 32_000],
    ["another server has none", "dropbear_2022.83", 0, undefined],
    ["another server gives a little", "dropbear_2022.83", 24_576, 24_576],
    ["a name only begins like it", "OpenSSHish", 0, undefined],
  ])("%s", (_what, remote, window, sent) => {
    const fake = new FakeClient(remote);
    const early = new EarlyInput(clientOf(fake));
    const input = inputOf(100_000);
    early.during(input, () => fake.reserve(0));
    const channel = fake.confirm(0, 0, window);
    expect(fake.left.slice(1)).toEqual(sent === undefined ? [] : [`data 0 ${sent}`]);
    expect(input.left()).toBe(100_000 - (sent ?? 0));
    early.started(channel);
    expect(channel.outgoing.window).toBe(0);
  });

  test("goes to its own channel, in whatever order they open", () => {
    const fake = new FakeClient();
    const early = new EarlyInput(clientOf(fake));
    early.during(inputOf(1), () => fake.reserve(0));
    early.during(inputOf(2), () => fake.reserve(1));
    fake.confirm(1, 5, 0);
    fake.confirm(0, 6, 0);
    expect(fake.left).toEqual(["exec 5 sh", "data 5 2", "exec 6 sh", "data 6 1"]);
  });

  test("waits as usual where ssh2 looks otherwise", () => {
    const client = clientOf({});
    const early = new EarlyInput(client);
    const input = inputOf(3);
    early.during(input, () => undefined);
    early.started({});
    signAtOnce(client);
    expect(input.left()).toBe(3);
  });
});

describe("a key", () => {
  const privateKey = { isPrivateKey: (): boolean => true, sign: () => Buffer.from("") };
  test.each([
    ["a private one signs at once", privateKey, undefined, "sign plain"],
    ["an RSA key signs by the newer ways only", privateKey, "rsa-sha2-512", "sign rsa-sha2-512"],
    ["its old way is asked for first", privateKey, "ssh-rsa", "ask ssh-rsa"],
    ["an agent's is asked for first", { isPrivateKey: (): boolean => false }, undefined, "ask plain"],
  ])("%s", (_what, key, algorithm, left) => {
    const fake = new FakeClient();
    signAtOnce(clientOf(fake));
    fake._protocol.authPK("me", key, algorithm);
    expect(fake.left).toEqual([left]);
  });
});

test("a server's other host keys are left unproven; what it asks besides is answered", () => {
  const heard: unknown[] = [];
  const handlers = { GLOBAL_REQUEST: (...all: unknown[]) => void heard.push(all.slice(1)) };
  leaveKeysUnproven(clientOf({ _protocol: { _handlers: handlers } }));
  handlers.GLOBAL_REQUEST({}, "hostkeys-00@openssh.com", false, "keys");
  handlers.GLOBAL_REQUEST({}, "keepalive@openssh.com", true);
  expect(heard).toEqual([["keepalive@openssh.com", true]]);
});

test("what is written in one go leaves together, and in order", async () => {
  const packets: string[] = [];
  const sock = new Writable({
    write: (chunk, _encoding, done) => done(void packets.push(String(chunk))),
    writev: (chunks, done) => done(void packets.push(chunks.map(({ chunk }) => String(chunk)).join(""))),
  });
  gatherWrites(sock as never);
  for (const part of ["a", "b", "c"]) sock.write(part);
  await soon();
  sock.write("d");
  await soon();
  expect(packets).toEqual(["abc", "d"]);
});
