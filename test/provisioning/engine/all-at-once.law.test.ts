import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { OpenSession } from "../../../src/provisioning/transport/session.ts";
import { outcomes, runText } from "../../support/run-playbook.ts";
import { canMakeWorlds, makeWorld, withShells } from "../../support/small-world.ts";

/** A message with steps is carried out only when every machine has one: run one after another, none ever would be. */
function meeting(open: OpenSession, machines: number): OpenSession {
  let met = Promise.withResolvers<void>();
  let here = 0;
  const all = async (): Promise<void> => {
    const { promise, resolve } = met;
    if (++here === machines) {
      here = 0;
      met = Promise.withResolvers();
      resolve();
    }
    const late = sleep(10_000, undefined, { ref: false }).then(() => {
      throw new Error("the other machine's step does not come while this one's is under way");
    });
    await Promise.race([promise, late]);
  };
  return async (plan, signal) =>
    withShells(await open(plan, signal), (shell) => ({
      user: shell.user,
      exchange: async (frames) => {
        if (frames.some(({ script }) => /apt-get.*install|pvsvc.*start|\nfill\n/.test(script))) await all();
        return shell.exchange(frames);
      },
    }));
}

describe.skipIf(!canMakeWorlds())("on all hosts at once", () => {
  test.each([
    ["packages are installed", "apt: {name: pvone}"],
    ["services are started", "service: {name: pvsvc, state: started}"],
    ["large files are sent", `copy: {content: "{{ 'large' * 100000 }}", dest: "{{ d }}/f"}`],
  ])("%s", async (_, task) => {
    const world = await makeWorld();
    try {
      const ran = await runText({
        playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n    - {name: t, ${task}}\n`,
        inventory: "one ansible_host=one\ntwo ansible_host=two\n",
        extraVars: [`d=${world.d}`],
        openSession: meeting(world.openSession, 2),
      });
      expect(outcomes(ran)).toEqual(["t one changed", "t two changed"]);
    } finally {
      world.remove();
    }
  });
});
