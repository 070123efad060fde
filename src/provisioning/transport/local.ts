/** `ansible_connection: local`: this machine, through child processes. */
import { userInfo } from "node:os";
import { BaseSession } from "./base-session.ts";
import { spawnChannel } from "./local-channel.ts";
import { directNetwork } from "./network.ts";
import type { ConnectionPlan, Session } from "./session.ts";

export async function openLocalSession(plan: ConnectionPlan): Promise<Session> {
  return new BaseSession({
    key: "local",
    plan,
    loginUser: userInfo().username,
    openChannel: async ({ command }) => spawnChannel("/bin/sh", ["-c", command]),
    network: directNetwork,
    close: async () => undefined,
  });
}
