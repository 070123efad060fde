import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/base/json.ts";
import { baseFactsScript, readBaseFacts } from "../../../src/provisioning/host/base-facts.ts";
import { gatherFactsScript, readGatheredFacts } from "../../../src/provisioning/host/gather-facts.ts";
import { runScript, shells } from "./shells.ts";

const gather = (argv: readonly string[], subset: readonly string[] = []): JsonObject =>
  readGatheredFacts(runScript(argv, gatherFactsScript(subset)), 0);

/** What Debian's own ansible says of this machine: the oracle. */
const ansibleFacts = (): JsonObject | undefined => setup([]);
function setup(more: readonly string[]): JsonObject | undefined {
  const run = spawnSync("ansible", ["-i", "localhost,", "-c", "local", "localhost", "-m", "setup", ...more], {
    encoding: "utf8",
    env: { ...process.env, ANSIBLE_NOCOLOR: "1", ANSIBLE_STDOUT_CALLBACK: "minimal" },
  });
  const at = run.stdout?.indexOf("{") ?? -1;
  if (run.status !== 0 || at === -1) return undefined;
  return (JSON.parse(run.stdout.slice(at)) as { ansible_facts: JsonObject }).ansible_facts;
}

/** Not fqdn and domain: Python looks 127.0.0.1 up backwards, and may call any host "localhost". */
const same = [
  ...[
    "all_ipv4_addresses",
    "apparmor",
    "architecture",
    "bios_vendor",
    "cmdline",
    "default_ipv4",
    "default_ipv6",
  ],
  ...["distribution", "distribution_file_path", "distribution_file_variety", "distribution_major_version"],
  ...[
    "distribution_release",
    "distribution_version",
    "dns",

    "effective_group_id",
    "effective_user_id",
  ],
  ...[
    "fips",

    "hostname",
    "kernel",
    "kernel_version",
    "lo",
    "lsb",
    "machine",
    "machine_id",
    "memtotal_mb",
  ],
  ...["nodename", "os_family", "pkg_mgr", "proc_cmdline", "processor", "processor_cores", "processor_count"],
  ...["processor_nproc", "processor_threads_per_core", "processor_vcpus", "product_name", "product_version"],
  ...[
    "swaptotal_mb",
    "system",
    "system_vendor",
    "user_dir",
    "user_gecos",
    "user_gid",
    "user_id",
    "user_shell",
  ],
  ...["user_uid", "userspace_architecture", "userspace_bits", "virtualization_role", "virtualization_type"],
];

const sorted = (value: JsonValue | undefined): JsonValue | undefined =>
  Array.isArray(value) && value.every((each) => typeof each === "string") ? [...value].sort() : value;

describe("facts", () => {
  const oracle = ansibleFacts();
  const ours = gather(["dash"]);

  test.skipIf(oracle === undefined)("the facts in common use are what Debian's ansible says", () => {
    const theirs = Object.fromEntries(same.map((name) => [name, sorted(oracle?.[`ansible_${name}`])]));
    expect(Object.fromEntries(same.map((name) => [name, sorted(ours[name])]))).toEqual(theirs);
  });

  test.skipIf(oracle === undefined)("mounts, devices and times have every key that Ansible's have", () => {
    const keys = (facts: JsonObject | undefined, name: string): string[] => {
      const value = facts?.[name];
      return Object.keys((Array.isArray(value) ? value[0] : value) ?? {}).sort();
    };
    expect(keys(ours, "date_time")).toEqual(keys(oracle, "ansible_date_time"));
    expect(keys(ours, "device_links")).toEqual(keys(oracle, "ansible_device_links"));
    const ofFirst = (devices: JsonValue | undefined): string[] =>
      Object.keys(Object.values((devices ?? {}) as JsonObject)[0] ?? {}).sort();
    expect(ofFirst(ours.devices)).toEqual(ofFirst(oracle?.ansible_devices));
    expect(keys(ours, "mounts")).toEqual(expect.arrayContaining(keys(oracle, "ansible_mounts")));
  });

  test.each(shells)("$name says the same as dash, in one script", ({ argv, name }) => {
    const volatile = new Set([
      "date_time",
      "loadavg",
      "memfree_mb",
      "memory_mb",
      "uptime_seconds",
      "mounts",
      "env",
    ]);
    const stable = (facts: JsonObject) =>
      Object.fromEntries(Object.entries(facts).filter(([key]) => !volatile.has(key)));
    const started = performance.now();
    const facts = gather(argv);
    console.info(`${name}: all facts ${(performance.now() - started).toFixed(1)} ms`);
    expect(stable(facts)).toEqual(stable(ours));
  });

  test("the environment is the one that the shell was given", () => {
    const run = runScript(["dash"], gatherFactsScript(["min"]), { PATH: "/usr/bin:/bin", ODD: "a\nb=c" });
    expect(readGatheredFacts(run, 0).env).toEqual({ PATH: "/usr/bin:/bin", ODD: "a\nb=c" });
  });

  test("the smallest subset leaves out network, hardware and the host's own facts", () => {
    const facts = gather(["dash"], ["!all"]);
    expect(facts).toMatchObject({ distribution: ours.distribution ?? "" });
    expect(
      ["mounts", "default_ipv4", "local", "virtualization_type"].filter((name) => name in facts),
    ).toEqual([]);
  });

  test.each(shells)("$name: a host's own facts are what Debian's ansible reads", ({ argv }) => {
    const folder = mkdtempSync(join(tmpdir(), "provision-facts-"));
    const files: Readonly<Record<string, string>> = {
      ini: "[general]\nKey=Value\nport = 80\n# c\nempty=\n\n[two words]\na=b=c\nmulti=one\n  two\n",
      defaults: "[DEFAULT]\nd=1\n[s]\na=%(d)s\n",
      json: '{"a": [1, 2.5, null], "b": {"c": "d"}}',
      text: '"one"',
      nothing: "",
      "run:x": "#!/bin/sh\necho '{\"made\": 2}'",
      "ini:x": "#!/bin/sh\necho '[s]'; echo k=v",
    };
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(folder, `${name}.fact`), text, { mode: name.endsWith(":x") ? 0o755 : 0o644 });
    writeFileSync(join(folder, "broken.fact"), "just text");
    writeFileSync(join(folder, "failing.fact"), "#!/bin/sh\nexit 3", { mode: 0o755 });
    const local = readGatheredFacts(runScript(argv, gatherFactsScript(["local"], folder)), 0)
      .local as JsonObject;
    const { broken, failing, ...own } = local;
    expect(broken).toMatch(/^error loading facts/);
    expect(failing).toMatch(/^Failure executing fact script.*rc: 3/);
    const theirs = (setup(["-a", `fact_path=${folder} filter=ansible_local`])?.ansible_local ??
      local) as JsonObject;
    rmSync(folder, { recursive: true });
    const { broken: _broken, failing: _failing, ...wanted } = theirs;
    expect(own).toEqual(wanted);
  });

  test.each(shells)("$name: the base facts are always there", ({ argv }) => {
    const base = readBaseFacts(runScript(argv, baseFactsScript()).stdout);
    expect(base).toMatchObject({
      uid: 0,
      user: "root",
      home: "/root",
      packageManager: "apt",
      machine: ours.machine,
    });
    expect(base.tools).toContain("tar");
  });
});
