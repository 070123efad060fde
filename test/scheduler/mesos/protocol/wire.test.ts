import { describe, expect, test } from "vitest";
import {
  decodeIp,
  decodeMasterInfo,
  encodeIp,
  encodeMasterInfo,
  masterHostPort,
  masterInfo,
} from "../../../../src/scheduler/mesos/protocol/master-info.ts";
import { schedulerCallSchema } from "../../../../src/scheduler/mesos/protocol/scheduler-call.ts";
import { parseWire } from "../../../../src/scheduler/mesos/protocol/wire.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("a master's card", () => {
  const info = masterInfo({ id: "a-b", hostname: "m1", ip: "10.0.0.1", port: 5050 });

  test("is written as Mesos writes it", () => {
    expect(text(encodeMasterInfo(info))).toBe(
      '{"address":{"hostname":"m1","ip":"10.0.0.1","port":5050},' +
        '"capabilities":[{"type":"AGENT_UPDATE"},{"type":"AGENT_DRAINING"},{"type":"QUOTA_V2"}],' +
        '"hostname":"m1","id":"a-b","ip":16777226,"pid":"master@10.0.0.1:5050","port":5050,"version":"1.11.0"}',
    );
  });

  test("is read back, and without an address too", () => {
    expect(decodeMasterInfo(encodeMasterInfo(info))).toEqual(info);
    expect(masterHostPort({ id: "x", ip: 16777343, port: 5050 })).toEqual({ host: "127.0.0.1", port: 5050 });
    expect(() => decodeMasterInfo(new Uint8Array([1]))).toThrow();
  });

  test.each(["127.0.0.1", "10.0.0.1", "192.168.255.254"])("%s survives its packing", (ip) => {
    expect(decodeIp(encodeIp(ip))).toBe(ip);
  });
});

describe("calls", () => {
  test("nulls and unknown fields are ignored", () => {
    const call = parseWire(schedulerCallSchema, {
      type: "DECLINE",
      framework_id: { value: "f", extra: 1 },
      accept: null,
      decline: { offer_ids: [{ value: "o" }], filters: null },
    });
    expect(call).toEqual({
      type: "DECLINE",
      framework_id: { value: "f" },
      decline: { offer_ids: [{ value: "o" }] },
    });
  });

  test("what is nested too deeply to be read is a misfit like others", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`);
    expect(() => parseWire(schedulerCallSchema, { type: "KILL", kill: deep })).toThrow("nested too deeply");
  });

  test("a misfit names its field", () => {
    expect(() => parseWire(schedulerCallSchema, { type: "KILL", framework_id: { value: "f" } })).toThrow(
      "'kill'",
    );
  });
});
