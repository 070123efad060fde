import { describe, expect, test } from "vitest";
import { BaseSession } from "../../../src/provisioning/transport/base-session.ts";
import { type Launch, launchOf } from "../../../src/provisioning/transport/become-command.ts";
import type { Become } from "../../../src/provisioning/transport/session.ts";

const sudo = (user: string): Become => ({ user, method: "sudo" });

/** Which programs are started for these shells. */
async function launchesOf(loginUser: string, wanted: readonly (Become | null)[]): Promise<Launch[]> {
  const launches: Launch[] = [];
  const session = new BaseSession({
    key: "a",
    plan: {
      name: "a",
      connection: "local",
      host: "a",
      connectTimeoutMs: 1000,
      hostKeyChecking: "strict",
    },
    loginUser,
    openChannel: async (launch) => {
      launches.push(launch);
      return {
        write: async () => undefined,
        listen: () => undefined,
        hold: () => undefined,
        close: () => undefined,
      };
    },
    network: {
      http: () => Promise.reject(new Error("not asked here")),
      tcp: () => Promise.reject(new Error("not asked here")),
    },
    close: async () => undefined,
  });
  for (const become of wanted) await session.shell(become);
  await session.close();
  return launches;
}

describe("shells of a session", () => {
  test("root becoming root takes the login's own shell, without sudo", async () => {
    expect(await launchesOf("root", [null, sudo("root"), null])).toEqual([launchOf(null)]);
  });

  test("another user, or root for a plain login, takes a shell of its own, once", async () => {
    expect(await launchesOf("root", [sudo("www"), sudo("www")])).toEqual([launchOf(sudo("www"))]);
    expect(await launchesOf("ubuntu", [null, sudo("root")])).toEqual([
      launchOf(null),
      launchOf(sudo("root")),
    ]);
  });
});
