import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  exposedPortsLabel,
  formatExposedPorts,
} from "../../../../src/scheduler/mesos/protocol/exposed-ports.ts";
import { StageCluster, sandboxOf } from "../stage-cluster.ts";
import { TestFramework } from "../test-framework.ts";

const image = "provision-test/agent";

/** An image of busybox alone, made on the spot: there may be no registry. */
function makeImage(): string | undefined {
  try {
    execFileSync("docker", ["version"], { stdio: "ignore", timeout: 5000 });
    // The distribution's busybox may need its libraries.
    const libraries =
      "for f in $(ldd $(command -v busybox) 2>/dev/null | grep -o '/[^ ]*'); do cp --parents $f $d; done";
    const files = `mkdir -p $d/bin && cp $(command -v busybox) $d/bin/ && { ${libraries}; ln -s busybox $d/bin/sh; } && tar -C $d -c .`;
    execFileSync("sh", [
      "-c",
      `d=$(mktemp -d) && { ${files} | docker import --change 'ENV PATH=/bin' --change 'EXPOSE 8080' --change 'CMD ["/bin/busybox","sh","-c","/bin/busybox httpd -f -p 8080 -h /"]' - ${image} >/dev/null; rm -r $d; }`,
    ]);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const problem = makeImage();

describe.skipIf(problem !== undefined)(
  `a Docker task${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let cluster: StageCluster;
    let framework: TestFramework;
    const docker = { removeDelayMs: 0 };

    beforeEach(async () => {
      cluster = new StageCluster();
      const master = await cluster.master();
      await cluster.agent({ containerizers: ["docker", "mesos"], docker });
      framework = new TestFramework(master.url);
      await cluster.until(() => master.isLeading);
      await framework.subscribe();
    });
    afterEach(async () => {
      framework.close();
      await cluster.stop();
      // The agent removes them too, a little later.
      const filter = `label=provision.agent=${hostname()}:${join(cluster.folder, "work")}`;
      spawnSync("sh", ["-c", 'docker ps -aq --filter "$1" | xargs -r docker rm -f', "sh", filter]);
    });

    const bridge = { type: "DOCKER" as const, docker: { image, network: "BRIDGE" as const } };

    test("runs, writes into its sandbox, and its status is told", async () => {
      framework.launch({
        id: "t1",
        container: bridge,
        command: {
          value: "busybox echo $WORD; busybox echo made >$MESOS_SANDBOX/made; exit 4",
          environment: { variables: [{ name: "WORD", value: "said" }] },
        },
      });
      expect((await framework.state("t1", "TASK_FAILED", 40_000)).message).toBe(
        "Container exited with status 4",
      );
      const [agent] = cluster.agents;
      if (agent === undefined) throw new Error("no agent");
      expect(readFileSync(join(await sandboxOf(agent, "t1"), "stdout"), "utf8")).toBe("said\n");
      expect(readFileSync(join(await sandboxOf(agent, "t1"), "made"), "utf8")).toBe("made\n");
    });

    test("its EXPOSEd port is published on its host port, and it is stopped on request", async () => {
      framework.launch({
        id: "t1",
        container: bridge,
        command: { shell: false },
        labels: { labels: [{ key: exposedPortsLabel, value: formatExposedPorts([31_777]) }] },
      });
      const status = await framework.state("t1", "TASK_RUNNING", 40_000);
      expect(status.container_status?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address).toMatch(/^172\./);
      await cluster.until(
        async () => (await fetch("http://127.0.0.1:31777/").catch(() => undefined)) !== undefined,
      );
      await framework.kill("t1");
      await framework.state("t1", "TASK_KILLED", 40_000);
    });

    test("survives a restart of the agent, even when its client died too", async () => {
      framework.launch({
        id: "t1",
        container: bridge,
        command: { value: "busybox sleep 4; busybox echo done; exit 6" },
      });
      await framework.state("t1", "TASK_RUNNING", 40_000);
      await cluster.agents[0]?.stop();
      cluster.killSupervisors();
      const agent = await cluster.agent({ containerizers: ["docker", "mesos"], docker });
      expect((await framework.state("t1", "TASK_FAILED", 40_000)).message).toBe(
        "Container exited with status 6",
      );
      expect(readFileSync(join(await sandboxOf(agent, "t1"), "stdout"), "utf8")).toBe("done\n");
      expect(framework.statesOf("t1").filter((state) => state === "TASK_STARTING")).toHaveLength(1);
    });

    test("that docker cannot run says what docker said", async () => {
      const parameters = [{ key: "ipc", value: "no-such-mode" }];
      framework.launch({
        id: "t1",
        container: { type: "DOCKER", docker: { image, parameters } },
        command: { shell: false },
      });
      expect((await framework.state("t1", "TASK_FAILED", 40_000)).message).toMatch(/^docker run failed: .+/);
    });

    test("of an image that is nowhere fails with the reason", async () => {
      framework.launch({
        id: "t1",
        container: { type: "DOCKER", docker: { image: "localhost:1/no/such" } },
        command: { shell: false },
      });
      expect((await framework.state("t1", "TASK_FAILED", 40_000)).message).toContain(
        "Failed to run 'docker pull localhost:1/no/such'",
      );
    });
  },
);
