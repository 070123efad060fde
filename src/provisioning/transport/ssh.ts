/** `ansible_connection: ssh`: one connection, a channel for each shell and transfer. */
import { once } from "node:events";
import type { Client } from "ssh2";
import { ProvisionError } from "../../base/errors.ts";
import { BaseSession } from "./base-session.ts";
import { limits } from "./limits.ts";
import { networkOver } from "./network.ts";
import type { ConnectionPlan, Session } from "./session.ts";
import { SshChannel } from "./ssh-channel.ts";
import { connectSsh, forward, forwardSocket } from "./ssh-client.ts";
import { sshSettings } from "./ssh-settings.ts";

export async function openSshSession(plan: ConnectionPlan, signal?: AbortSignal): Promise<Session> {
  const settings = await sshSettings(plan);
  const client = await connectSsh(settings, plan, signal);
  const channels = new Set<SshChannel>();
  let ended: string | undefined;
  const end = (why: string): void => {
    ended ??= why;
    for (const channel of channels) channel.lost(why);
    channels.clear();
  };
  client.on("error", (error) => end(error.message));
  client.on("close", () => end("the host hung up"));
  return new BaseSession({
    key: `ssh:${settings.user}@${settings.host}:${settings.port}${settings.jumps.map((jump) => `>${jump}`).join("")}`,
    plan,
    loginUser: settings.user,
    openChannel: async ({ command }) => {
      if (ended !== undefined) throw lost(plan, ended);
      const channel = await execute(client, plan, command, () => ended);
      channels.add(channel);
      return channel;
    },
    network: networkOver(
      (host, port) => forward(client, host, port),
      (path) => forwardSocket(client, path),
    ),
    close: () => closeClient(client),
  });
}

function execute(
  client: Client,
  plan: ConnectionPlan,
  command: string,
  ended: () => string | undefined,
): Promise<SshChannel> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(lost(plan, ended() ?? "the host hung up"));
    client.once("close", closed);
    client.exec(command, (error, stream) => {
      client.off("close", closed);
      if (error) reject(lost(plan, error.message, error));
      else resolve(new SshChannel(stream));
    });
  });
}

const lost = (plan: ConnectionPlan, why: string, cause?: unknown): ProvisionError =>
  new ProvisionError({
    code: "connection-lost",
    action: `open a shell on "${plan.name}"`,
    state: `the connection ended: ${why}`,
    cause,
  });

async function closeClient(client: Client): Promise<void> {
  client.end();
  const signal = AbortSignal.timeout(limits.closeTimeoutMs);
  await once(client, "close", { signal }).catch(() => client.destroy());
}
