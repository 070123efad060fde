/** `ansible_connection: docker`: a container of this machine's Docker, by `docker exec -i`. */
import { BaseSession } from "./base-session.ts";
import { spawnChannel } from "./local-channel.ts";
import { forbiddenNetwork } from "./network.ts";
import type { ConnectionPlan, Session } from "./session.ts";

export async function openDockerSession(plan: ConnectionPlan): Promise<Session> {
  const login = plan.user === undefined ? [] : ["--user", plan.user];
  return new BaseSession({
    key: `docker:${plan.user ?? ""}@${plan.host}`,
    plan,
    loginUser: plan.user ?? "root",
    openChannel: async ({ command }) =>
      spawnChannel("docker", ["exec", "-i", ...login, plan.host, "/bin/sh", "-c", command]),
    network: forbiddenNetwork("docker exec carries no TCP connections"),
    close: async () => undefined,
  });
}
