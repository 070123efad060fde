import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { readBridgeConfig } from "../../../src/scheduler/discovery/bridge-config.ts";
import { bridgeMain } from "../../../src/scheduler/discovery/main.ts";

describe("bridge.json", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "provision-bridge-config-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const least = {
    marathons: ["http://m1:8080"],
    config: "/etc/haproxy/haproxy.cfg",
    reload: ["systemctl", "reload", "haproxy"],
  };
  const write = async (content: unknown): Promise<string> => {
    const path = join(folder, "bridge.json");
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };

  test("what the role writes is read, with the password and the template from their files", async () => {
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const path = await write({
      ...least,
      template: await file("haproxy.cfg.hbs", "{{connectTimeoutMs}}"),
      frontPort: null,
      statsPort: 9090,
      statsPasswordFile: await file("stats-password", "secret\n"),
      pollIntervalMs: 30_000,
    });
    expect(readBridgeConfig(path)).toMatchObject({
      ...least,
      template: "{{connectTimeoutMs}}",
      pollIntervalMs: 30_000,
      haproxy: { frontPort: undefined, statsPort: 9090, statsPassword: "secret" },
    });
  });

  test.each([
    ["no JSON", "{"],
    ["an unknown key", { ...least, port: 1 }],
    ["no Marathon", { ...least, marathons: [] }],
    ["an address that is none", { ...least, marathons: ["m1:8080"] }],
    ["a port that is none", { ...least, frontPort: 70_000 }],
    ["a file that is missing", { ...least, statsPasswordFile: "/nonexistent" }],
  ])("%s is an error that names the file", async (_, content) => {
    const path = await write(content);
    expect(() => readBridgeConfig(path)).toThrow(ProvisionError);
    expect(() => readBridgeConfig(path)).toThrow(/"\//);
  });

  test.each([[[]], [["--once"]], [["--config=x", "--twice"]]])("%j is refused", async (argv) => {
    await expect(bridgeMain(argv)).rejects.toThrow("Cannot start haproxy-bridge");
  });

  test("--once with Marathon away says so by its exit code", async () => {
    const path = await write({
      ...least,
      marathons: ["http://127.0.0.1:1"],
      config: join(folder, "haproxy.cfg"),
    });
    expect(await bridgeMain([`--config=${path}`, "--once"])).toBe(1);
    expect(await bridgeMain([`--config=${path}`, "--print"])).toBe(1);
  });
});
