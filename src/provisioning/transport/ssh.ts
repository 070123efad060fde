/** `ansible_connection: ssh`: one connection, a channel for each shell and transfer. */
import type { Client } from "ssh2";
import { ProvisionError } from "../../base/errors.ts";
import { BaseSession } from "./base-session.ts";
import { limits } from "./limits.ts";
import { networkOver } from "./network.ts";
import type { ConnectionPlan, Session } from "./session.ts";
import { EarlyInput } from "./ssh-ahead.ts";
import { SshChannel } from "./ssh-channel.ts";
import { connectSsh, forward, forwardSocket } from "./ssh-client.ts";
import { sshSettings } from "./ssh-settings.ts";

export async function openSshSession(plan: ConnectionPlan, signal?: AbortSignal): Promise<Session> {
  const settings = await sshSettings(plan);
  const client = await connectSsh(settings, plan, signal);
  const early = new EarlyInput(client);
  const channels = new Set<SshChannel>();
  let ended: string | undefined;
  const end = (why: string): void => {
    ended ??= why;
    for (const channel of channels) channel.lost(why);
    channels.clear();
  };
  client.on("error", (error) => end(error.message));
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.on("close", () => end("the host hung up"));
  return new BaseSession({
    key: `ssh:${settings.user}@${settings.host}:${settings.port}${settings.jumps.map((jump) => `>${jump}`).join("")}`,
    plan,
    loginUser: settings.user,
    openChannel: async ({ command }) => {
      if (ended !== undefined) throw lost(plan, ended);
      const channel = execute(client, early, command);
      channels.add(channel);
      return channel;
    },
    network: networkOver(
      (host, port) => forward(client, host, port),
      (path) => forwardSocket(client, path),
    ),
    close: () => closeClient(client, closed),
  });
}

/** The channel is there at once; that it could not be opened is told as its end. */
function execute(client: Client, early: EarlyInput, command: string): SshChannel {
  const channel = new SshChannel();
  early.during(channel, () =>
    client.exec(command, (error, stream) => {
      if (error) channel.lost(error.message);
      else {
        early.started(stream);
        channel.start(stream);
      }
    }),
  );
  return channel;
}

const lost = (plan: ConnectionPlan, why: string): ProvisionError =>
  new ProvisionError({
    code: "connection-lost",
    action: `open a shell on "${plan.name}"`,
    state: `the connection ended: ${why}`,
  });

/** The timer keeps the process alive: a connection that was lost leaves nothing else that would. */
async function closeClient(client: Client, closed: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limits.closeTimeoutMs);
  });
  client.end();
  await Promise.race([closed, late.then(() => client.destroy())]);
  clearTimeout(timer);
}
