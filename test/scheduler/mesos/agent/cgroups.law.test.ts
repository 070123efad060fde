import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCgroups } from "../../../../src/scheduler/mesos/agent/cgroups.ts";
import { StageCluster, sandboxOf } from "../stage-cluster.ts";
import { TestFramework } from "../test-framework.ts";

const hierarchy = "/sys/fs/cgroup";
const root = `provision-test-${process.pid}`;
const isUnified = existsSync(join(hierarchy, "cgroup.controllers"));
const folders = isUnified
  ? [join(hierarchy, root)]
  : [join(hierarchy, "cpu", root), join(hierarchy, "memory", root)];

function whyNot(): string | undefined {
  try {
    const [folder] = folders;
    mkdirSync(folder ?? "");
    rmdirSync(folder ?? "");
    return openCgroups({ hierarchy, root, cfsQuota: false, log: () => undefined }) === undefined
      ? "cgroups cannot be used"
      : undefined;
  } catch (error) {
    return String(error);
  }
}
const problem = whyNot();

describe.skipIf(problem !== undefined)(
  `limits of a command task${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let cluster: StageCluster;
    let framework: TestFramework;

    beforeEach(async () => {
      cluster = new StageCluster();
      const master = await cluster.master();
      await cluster.agent({ cgroups: { hierarchy, root, cfsQuota: true } });
      framework = new TestFramework(master.url);
      await cluster.until(() => master.isLeading);
      await framework.subscribe();
    });
    afterEach(async () => {
      framework.close();
      await cluster.stop();
      await cluster.until(() => folders.every((folder) => removed(folder)));
    });

    function removed(folder: string): boolean {
      try {
        rmdirSync(folder);
      } catch {
        // Not empty yet, or gone.
      }
      return !existsSync(folder);
    }

    test("are set before it begins", async () => {
      framework.launch({ id: "t1", command: { value: "cat /proc/self/cgroup" }, needs: "cpus:0.5;mem:64" });
      await framework.state("t1", "TASK_FINISHED");
      const [agent] = cluster.agents;
      if (agent === undefined) throw new Error("no agent");
      expect(readFileSync(join(await sandboxOf(agent, "t1"), "stdout"), "utf8")).toContain(`/${root}/`);
    });

    test("memory that runs out ends it, with that reason", async () => {
      framework.launch({ id: "t1", command: { value: "exec tail /dev/zero" }, needs: "cpus:0.5;mem:32" });
      const status = await framework.state("t1", "TASK_FAILED");
      expect([status.message, status.reason]).toEqual([
        "Memory limit exceeded",
        "REASON_CONTAINER_LIMITATION_MEMORY",
      ]);
    });
  },
);
