import { describe, expect, test } from "vitest";
import { readSshArgs } from "../../../src/provisioning/engine/connection.ts";
import { isNoFact } from "../../../src/provisioning/engine/facts-wanted.ts";
import { batchSizes, inBatches } from "../../../src/provisioning/engine/serial.ts";
import { isChosen } from "../../../src/provisioning/engine/tags.ts";

describe("serial", () => {
  test.each([
    [undefined, 3, [3]],
    [["15%", 3, "40%"], 10, [1, 3, 4, 2]],
    ["10%", 5, [1, 1, 1, 1, 1]],
    [2, 5, [2, 2, 1]],
    ["2", 3, [2, 1]],
    [0, 3, [3]],
    [[1, 5], 12, [1, 5, 5, 1]],
    ["half", 3, undefined],
    [-1, 3, undefined],
  ] as const)("%j of %i hosts", (serial, hosts, sizes) => {
    expect(batchSizes(serial, hosts)).toEqual(sizes);
  });

  test("batches keep the order of the hosts", () => {
    expect(inBatches(["a", "b", "c"], [1, 2])).toEqual([["a"], ["b", "c"]]);
  });
});

describe("tags", () => {
  test.each([
    [[], [], [], true],
    [["x"], ["x"], [], true],
    [["x"], ["y"], [], false],
    [[], ["y"], [], false],
    [["always"], ["y"], [], true],
    [["always"], ["y"], ["always"], false],
    [["never"], [], [], false],
    [["never", "x"], ["x"], [], true],
    [["never"], ["all"], [], false],
    [["x"], ["tagged"], [], true],
    [[], ["tagged"], [], false],
    [[], ["untagged"], [], true],
    [["x"], [], ["x"], false],
    [["x"], [], ["all"], false],
    [["always"], [], ["all"], true],
    [["x"], [], ["tagged"], false],
  ])("%j with --tags %j --skip-tags %j: %s", (tags, only, skip, chosen) => {
    expect(isChosen(tags, { only, skip })).toBe(chosen);
  });
});

describe("ssh arguments", () => {
  test.each([
    ["-o ProxyJump=me@bastion:2222", { proxyJump: "me@bastion:2222" }],
    [
      "-J bastion -p 2200 -l me -i ~/.ssh/k",
      { proxyJump: "bastion", port: "2200", user: "me", identity: "~/.ssh/k" },
    ],
    ['-o ProxyCommand="ssh -W %h:%p -q me@bastion"', { proxyJump: "me@bastion" }],
    [
      "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
      { hostKeyChecking: "off", knownHosts: "/dev/null" },
    ],
    ["-C -o ControlMaster=auto -o ControlPersist=60s", {}],
    ["-F /etc/ssh/other -oPort=23", { configFile: "/etc/ssh/other", port: "23" }],
  ])("%s", (text, wanted) => {
    expect(readSshArgs(text)).toEqual(wanted);
  });
});

test("names of the connection are no facts, facts are", () => {
  for (const name of ["ansible_host", "ansible_become_pass", "ansible_check_mode", "ansible_loop"]) {
    expect(isNoFact(name), name).toBe(true);
  }
  for (const name of ["ansible_distribution", "ansible_hostname", "ansible_facts", "ansible_default_ipv4"]) {
    expect(isNoFact(name), name).toBe(false);
  }
});
