/**
 * A Session is one connection to one machine; on it one live sh a user. `openSession` picks the transport and loads
 * only that one. Messages go: LiveShell → ShellConnection (frames, marks) → Channel (ssh, a child process, docker).
 * Which scripts are sent, and what their output means, is host/'s; when they are sent is engine/'s.
 */
import type { ConnectionPlan, OpenSession, Session } from "./session.ts";

export const openSession: OpenSession = async (
  plan: ConnectionPlan,
  signal?: AbortSignal,
): Promise<Session> => {
  signal?.throwIfAborted();
  switch (plan.connection) {
    case "local":
      return (await import("./local.ts")).openLocalSession(plan);
    case "docker":
      return (await import("./docker.ts")).openDockerSession(plan);
    case "ssh":
      return (await import("./ssh.ts")).openSshSession(plan, signal);
  }
};
