import { readFileSync } from "node:fs";
import { z } from "zod";
import { ProvisionError } from "../../base/errors.ts";
import type { BridgeOptions } from "./daemon.ts";

const port = z.int().min(1).max(65_535);
const command = z.array(z.string().min(1)).min(1);

/** /etc/haproxy/bridge.json, as the role haproxy writes it. */
const configSchema = z.strictObject({
  marathons: z.array(z.url({ protocol: /^https?$/ })).min(1),
  config: z.string().min(1),
  template: z.string().nullish(),
  frontPort: port.nullish(),
  appIdPort: port.nullish(),
  certificates: z
    .string()
    .regex(/^[\w./-]+$/)
    .nullish(),
  statsPort: port.nullish(),
  statsPasswordFile: z.string().nullish(),
  credentialsFile: z.string().nullish(),
  groups: z.array(z.string()).default([]),
  reservedPorts: z.array(port).nullish(),
  taskPorts: z.array(z.tuple([port, port])).nullish(),
  check: command.nullish(),
  reload: command,
  pollIntervalMs: z.int().min(1_000).default(30_000),
  connectTimeoutMs: z.int().min(10).nullish(),
});

/** Throws ProvisionError for a file that is missing or says something else than what is known. */
export function readBridgeConfig(path: string): Omit<BridgeOptions, "log"> {
  const parsed = configSchema.safeParse(parseJson(path));
  if (!parsed.success) throw badConfig(path, z.prettifyError(parsed.error).replaceAll("\n", "; "));
  const { data } = parsed;
  const read = (file: string | null | undefined): string | undefined =>
    file === null || file === undefined ? undefined : readRequired(file);
  return {
    marathons: data.marathons,
    credentials: read(data.credentialsFile)?.trim(),
    config: data.config,
    template: read(data.template),
    reload: data.reload,
    pollIntervalMs: data.pollIntervalMs,
    ...(data.check == null ? {} : { check: data.check }),
    haproxy: {
      frontPort: data.frontPort ?? undefined,
      appIdPort: data.appIdPort,
      certificates: data.certificates ?? undefined,
      statsPort: data.statsPort ?? undefined,
      statsPassword: read(data.statsPasswordFile)?.trim(),
      groups: data.groups,
      ...(data.reservedPorts == null ? {} : { reservedPorts: data.reservedPorts }),
      ...(data.taskPorts == null ? {} : { taskPorts: data.taskPorts }),
      ...(data.connectTimeoutMs == null ? {} : { connectTimeoutMs: data.connectTimeoutMs }),
    },
  };
}

function parseJson(path: string): unknown {
  const text = readRequired(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badConfig(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function readRequired(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const state = `"${path}" cannot be read`;
    throw new ProvisionError({ code: "missing-file", action: "start haproxy-bridge", state, cause });
  }
}

const badConfig = (path: string, state: string, cause?: unknown): ProvisionError =>
  new ProvisionError({
    code: "bad-argument",
    action: `read "${path}"`,
    state,
    why: "it is written by the role haproxy",
    cause,
  });
