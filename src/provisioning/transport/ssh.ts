/** `ansible_connection: ssh`: one connection, a channel for each shell and transfer. */
import type { Client } from "ssh2";
import { ProvisionError } from "../../base/errors.ts";
import { BaseSession } from "./base-session.ts";
import { noPasswordTo } from "./host-key.ts";
import { networkOver } from "./network.ts";
import type { ConnectionPlan, Session } from "./session.ts";
import { EarlyInput, leave } from "./ssh-ahead.ts";
import { SshChannel } from "./ssh-channel.ts";
import { connectSsh, forward, forwardSocket, isUnsafe } from "./ssh-client.ts";
import { sshSettings } from "./ssh-settings.ts";

export async function openSshSession(plan: ConnectionPlan, signal?: AbortSignal): Promise<Session> {
  const settings = await sshSettings(plan);
  const client = await connectSsh(settings, plan, signal);
  const early = new EarlyInput(client);
  const channels = new Set<SshChannel>();
  const further = new Set<Client>();
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
    openChannel: async ({ command, prompt }) => {
      if (ended !== undefined) throw lost(plan, ended);
      const connect = async (): Promise<Client> => {
        const own = await connectSsh(settings, plan, signal);
        if (prompt === undefined || !isUnsafe(own)) return own;
        own.end();
        throw noPasswordTo(settings);
      };
      if (prompt !== undefined && isUnsafe(client)) throw noPasswordTo(settings);
      const channel = new SshChannel();
      channels.add(channel);
      execute({ client, early, channel, command }, (error) => {
        if (!isRefused(error) || ended !== undefined) return channel.lost(error.message);
        ownConnection(connect, { channel, command, further }).catch((cause: unknown) =>
          channel.lost(`${error.message}, and in a connection of its own: ${String(cause)}`),
        );
      });
      return channel;
    },
    network: networkOver(
      (host, port) => forward(client, host, port),
      (path) => forwardSocket(client, path),
    ),
    close: async () => {
      // A connection's end is the end of all in it.
      for (const channel of channels) channel.forget();
      for (const each of further) each.end();
      await leave(client);
    },
  });
}

interface Execution {
  readonly client: Client;
  readonly early: EarlyInput;
  /** It takes input from now on, whether the program runs yet or not. */
  readonly channel: SshChannel;
  readonly command: string;
}

function execute({ client, early, channel, command }: Execution, onError: (error: Error) => void): void {
  early.during(channel, () =>
    client.exec(command, (error, stream) => {
      if (error) onError(error);
      else {
        early.started(stream);
        channel.start(stream);
      }
    }),
  );
}

/** sshd's MaxSessions: no input has left yet. */
const isRefused = (error: Error): boolean => error.message.includes("Channel open failure");

interface Refused extends Pick<Execution, "channel" | "command"> {
  /** Connections beside the session's own. */
  readonly further: Set<Client>;
}

/** Where a connection has no room for another channel (MaxSessions 1, perhaps), that one gets a connection of its own. */
async function ownConnection(connect: () => Promise<Client>, { channel, command, further }: Refused) {
  const client = await connect();
  further.add(client);
  const end = (why: string): void => {
    further.delete(client);
    channel.lost(why);
    client.end();
  };
  client.on("error", (error) => end(error.message));
  client.on("close", () => end("the host hung up"));
  channel.onClosed(() => client.end());
  execute({ client, early: new EarlyInput(client), channel, command }, (error) => end(error.message));
}

const lost = (plan: ConnectionPlan, why: string): ProvisionError =>
  new ProvisionError({
    code: "connection-lost",
    action: `open a shell on "${plan.name}"`,
    state: `the connection ended: ${why}`,
  });
