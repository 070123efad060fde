import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NodeSSH } from "node-ssh";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchText, fetchUntil } from "../../src/cluster/rehearsal/fetch-text.ts";
import { type RehearsalHosts, startHosts } from "../../src/cluster/rehearsal/hosts.ts";
import { helloImage } from "../../src/cluster/rehearsal/images.ts";
import { leadingMaster, prepareRehearsal } from "../../src/cluster/rehearsal/rehearse.ts";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";
import { changesOf, eventsOf, packageRoot, provision, type Ran } from "../support/provision.ts";

const masters = ["master1", "master2", "master3"];
const slaves = ["slave1", "slave2"];
const provisionTimeoutMs = 600_000;
const appTimeoutMs = 60_000;
const leaderTimeoutMs = 15_000;
const slaveLossTimeoutMs = 120_000;

interface Task {
  readonly id: string;
  readonly appId: string;
  readonly host: string;
  readonly ports: readonly number[];
  readonly startedAt?: string;
  readonly state?: string;
}

let hosts: RehearsalHosts;
let files: Server;
let folder: string;
const figures: string[] = [];

const inventoryArgs = (): string[] => [
  "-i",
  join(packageRoot, "inventory/rehearsal.ini"),
  "-i",
  hosts.inventoryFile,
];
const address = (name: string): string => hosts.addresses.get(name) ?? "";
const siteRun = (...more: string[]): Promise<Ran> =>
  provision(["run", ...inventoryArgs(), ...more, "--json"], { timeoutMs: provisionTimeoutMs });

const marathon = (path: string, request: { method?: string; json?: unknown; master?: string } = {}) => {
  const { master = "master1", ...rest } = request;
  return fetchText({ url: `http://${address(master)}:8080${path}`, timeoutMs: 15_000, ...rest });
};

async function tasksOf(app: string, master = "master1"): Promise<Task[]> {
  const { body } = await marathon(`/v2/apps/${app}/tasks`, { master });
  const { tasks = [] }: { tasks?: Task[] } = JSON.parse(body);
  return tasks;
}

async function running(
  app: string,
  count: number,
  withinMs = appTimeoutMs,
  master = "master1",
): Promise<Task[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const tasks = (await tasksOf(app, master)).filter(({ state }) => state === "TASK_RUNNING");
    if (tasks.length === count) return tasks;
    if (performance.now() > deadline)
      throw new Error(`${app}: ${tasks.length} of ${count} run: ${JSON.stringify(tasks)}`);
    await sleep(250);
  }
}

const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const started = performance.now();
  const result = await work();
  figures.push(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-test-"));
  const image = await prepareRehearsal(() => undefined);
  hosts = await startHosts({
    id: `test-${process.pid}`,
    image,
    names: [...masters, ...slaves],
    keep: false,
    onHost: () => undefined,
  });
});

afterAll(async () => {
  process.stdout.write(`${figures.map((line) => `  ${line}\n`).join("")}`);
  files?.close();
  await hosts?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Asks a proxy again and again, and keeps every answer that was not 200. */
function watchApp(url: string, host?: string): { failures: string[]; stop: () => Promise<number> } {
  const failures: string[] = [];
  let going = true;
  let asked = 0;
  const loop = (async () => {
    while (going) {
      asked += 1;
      try {
        const { status } = await fetchText({
          url,
          ...(host === undefined ? {} : { host }),
          timeoutMs: 10_000,
        });
        if (status !== 200) failures.push(`HTTP ${status}`);
      } catch (error) {
        failures.push(String(error));
      }
      await sleep(100);
    }
  })();
  return {
    failures,
    stop: async () => {
      going = false;
      await loop;
      return asked;
    },
  };
}

describe("one inventory in, a working cluster out", { concurrent: false }, () => {
  test("bare hosts become a cluster", async () => {
    const ran = await timed("first run on 5 hosts", () => siteRun());
    expect(ran.code, `${ran.stderr}\n${ran.stdout.slice(-4000)}`).toBe(0);
  });

  test("a second run has nothing to do on any host", async () => {
    const ran = await timed("second run on 5 hosts", () => siteRun());
    expect(ran.code, ran.stderr).toBe(0);
    expect(changesOf(ran)).toEqual([]);
    const recap = eventsOf(ran).find(({ type }) => type === "run-end")?.recap ?? [];
    expect(recap.map(({ host, changed, failed }) => `${host} ${changed} ${failed}`).sort()).toEqual(
      [...masters, ...slaves].map((name) => `${name} 0 0`),
    );
  });

  test("an operator who logs in finds files and services where the packages had them", async () => {
    const onMaster = await linesOf(
      "master2",
      "cat /etc/mesos/zk /etc/mesos-master/quorum /etc/zookeeper/conf/myid",
    );
    expect(onMaster).toEqual(["zk://master1:2181,master2:2181,master3:2181/mesos", "2", "2"]);
    const units = "zookeeper mesos-master marathon haproxy haproxy-bridge";
    expect(await linesOf("master2", `systemctl is-enabled ${units}`)).toEqual(Array(5).fill("enabled"));
    expect(
      await linesOf("slave1", "cat /etc/mesos/zk; systemctl is-active docker mesos-slave haproxy"),
    ).toEqual(["zk://master1:2181,master2:2181,master3:2181/mesos", "active", "active", "active"]);
    expect(
      await linesOf("slave1", "sudo ls -A /opt/provision | wc -l; ls -A ~ /tmp | grep -c provision"),
    ).toEqual(["1", "0"]);
  });

  test("the app's image gets onto the slaves by a task", async () => {
    const archive = join(folder, "hello.tar");
    await runProgram("docker", ["save", "--output", archive, `${helloImage}:latest`]);
    const playbook = join(packageRoot, "src/cluster/rehearsal/playbooks/load-hello.yml");
    const ran = await siteRun(playbook, "-e", `hello_archive=${archive}`);
    expect(ran.code, ran.stderr).toBe(0);
  });

  test("an app of the Deimos form answers by the first label of its Host header, from several instances", async () => {
    await fetchUntil(
      { url: `http://${address("master1")}:8080/v2/info`, withinMs: appTimeoutMs, what: "Marathon answers" },
      ({ status }) => status === 200,
    );
    const www = `{"id":"www","cpus":".25","mem":64,"instances":4,"ports":[0],"uris":[],"container":{"image":"docker:///provision/hello"}}`;
    const posted = await marathon("/v2/apps", { json: JSON.parse(www) });
    expect(posted.status, posted.body).toBe(201);
    await timed("POST to the first answer through HAProxy", () =>
      fetchUntil(
        {
          url: `http://${address("master1")}/`,
          host: "www.example.com",
          withinMs: appTimeoutMs,
          what: "www answers",
        },
        ({ status }) => status === 200,
      ),
    );
    await running("www", 4);
    const seen = await seenUntil(2, `http://${address("master2")}/`);
    expect(seen.size).toBeGreaterThanOrEqual(2);
    const other = await fetchText({ url: `http://${address("master1")}/`, host: "wwwshop.example.com" });
    expect(other.status).not.toBe(200);
  });

  test("a service port answers on every node, and PATCH scales", async () => {
    const app = `{"id":"hello-docker","cpus":0.1,"mem":64.0,"instances":1,"container":{"type":"DOCKER","docker":{"image":"provision/hello","network":"BRIDGE","portMappings":[{"containerPort":3000,"hostPort":0,"servicePort":9000,"protocol":"tcp"}]}}}`;
    const posted = await marathon("/v2/apps", { json: JSON.parse(app), master: "master2" });
    expect(posted.status, posted.body).toBe(201);
    for (const node of [...masters, ...slaves]) {
      await fetchUntil(
        { url: `http://${address(node)}:9000/`, withinMs: appTimeoutMs, what: `port 9000 of ${node}` },
        ({ status }) => status === 200,
      );
    }
    const patched = await marathon("/v2/apps/hello-docker", {
      method: "PATCH",
      json: { instances: 3 },
      master: "master3",
    });
    expect(patched.status, patched.body).toBe(200);
    await running("hello-docker", 3);
  });

  test("a command is fetched, unpacked and run, one a host", async () => {
    await writeFile(
      join(folder, "serve"),
      '#!/bin/sh\nmkdir -p www\necho "$(hostname) $SECRET" > www/index.html\nexec busybox httpd -f -p "$2" -h www\n',
      { mode: 0o755 },
    );
    await runProgram("tar", ["-C", folder, "-czf", join(folder, "serve.tar.gz"), "serve"]);
    const archive = await readFile(join(folder, "serve.tar.gz"));
    files = createServer((_, response) => response.end(archive));
    const gateway = address("master1").replace(/\d+$/, "1");
    const port = await new Promise<number>((resolve) => {
      files.listen(0, gateway, () => {
        const bound = files.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
    const app = `{"id":"play","cmd":"exec ./serve --port $PORT","uris":["http://${gateway}:${port}/serve.tar.gz"],"env":{"SECRET":"x"},"mem":32,"cpus":0.1,"instances":2,"constraints":[["hostname","UNIQUE"]]}`;
    const posted = await marathon("/v2/apps", { json: JSON.parse(app) });
    expect(posted.status, posted.body).toBe(201);
    const tasks = await running("play", 2);
    expect(tasks.map(({ host }) => host).sort()).toEqual(slaves);
    for (const { host, ports } of tasks) {
      const answer = await fetchUntil(
        { url: `http://${address(host)}:${ports[0]}/`, withinMs: appTimeoutMs, what: `play on ${host}` },
        ({ status }) => status === 200,
      );
      expect(answer.body.trim()).toBe(`${host} x`);
    }
  });

  test("a bad app is refused with Marathon's own error", async () => {
    expect((await marathon("/v2/apps", { json: { id: "Bad_ID!" } })).status).toBe(422);
  });

  test("a lost master costs seconds, no request on the surviving proxies, and no task", async () => {
    const leader = await leadingMaster({ masters }, hosts);
    const lost = masters.find((name) => address(name) === leader) ?? "";
    const survivors = masters.filter((name) => name !== lost);
    const before = await allTasks(survivors[0] ?? "");
    const watches = survivors.map((name) => watchApp(`http://${address(name)}/`, "www.example.com"));
    const alsoService = watchApp(`http://${address("slave1")}:9000/`);
    const started = performance.now();
    await hosts.kill(lost);
    const left = { masters: survivors };
    await timed("Mesos failover", () => leadingMaster(left, hosts));
    await timed("Marathon failover", () =>
      fetchUntil(
        {
          url: `http://${address(survivors[0] ?? "")}:8080/v2/leader`,
          withinMs: leaderTimeoutMs,
          what: "a leader",
        },
        ({ status, body }) => status === 200 && survivors.some((name) => body.includes(name)),
      ),
    );
    expect(performance.now() - started).toBeLessThan(leaderTimeoutMs);
    await sleep(20_000);
    for (const watch of [...watches, alsoService]) {
      expect(await watch.stop()).toBeGreaterThan(50);
      expect(watch.failures).toEqual([]);
    }
    expect(await allTasks(survivors[0] ?? "")).toEqual(before);
    await hosts.start(lost);
    await fetchUntil(
      { url: `http://${address(lost)}:5050/health`, withinMs: appTimeoutMs, what: `${lost} is back` },
      ({ status }) => status === 200,
    );
    await fetchUntil(
      {
        url: `http://${address(lost)}/`,
        host: "www.example.com",
        withinMs: appTimeoutMs,
        what: `${lost} serves`,
      },
      ({ status }) => status === 200,
    );
  });

  test("a lost slave's instances run elsewhere, and no request goes there", async () => {
    const watch = watchApp(`http://${address("master1")}/`, "www.example.com");
    await timed("a lost slave's instances run elsewhere", async () => {
      await hosts.stop("slave2");
      const deadline = performance.now() + slaveLossTimeoutMs;
      for (;;) {
        const tasks = (await tasksOf("www")).filter(
          ({ state, host }) => state === "TASK_RUNNING" && host === "slave1",
        );
        if (tasks.length === 4) break;
        if (performance.now() > deadline) throw new Error(`only ${tasks.length} of 4 moved`);
        await sleep(500);
      }
    });
    expect(await watch.stop()).toBeGreaterThan(50);
    expect(watch.failures).toEqual([]);
    await hosts.start("slave2");
    await fetchUntil(
      { url: `http://${address("slave2")}:5051/health`, withinMs: appTimeoutMs, what: "slave2 is back" },
      ({ status }) => status === 200,
    );
  });

  test("restarting ZooKeeper goes host by host and leaves every app answering", async () => {
    const watch = watchApp(`http://${address("master1")}/`, "www.example.com");
    const ran = await timed("rolling restart of ZooKeeper", () =>
      provision(["restart", "zookeeper", ...inventoryArgs(), "--json"], { timeoutMs: provisionTimeoutMs }),
    );
    expect(ran.code, ran.stderr + ran.stdout.slice(-3000)).toBe(0);
    expect(changesOf(ran)).toEqual(masters.map((name) => `${name}: restart zookeeper`));
    await watch.stop();
    expect(watch.failures).toEqual([]);
  });

  test("one more line under [mesos_slaves] changes only the new host", async () => {
    await hosts.add(["slave3"]);
    const added = join(folder, "added.ini");
    await writeFile(added, "[mesos_slaves]\nslave3\n");
    const inventories = [
      "-i",
      join(packageRoot, "inventory/rehearsal.ini"),
      "-i",
      added,
      "-i",
      hosts.inventoryFile,
    ];
    const ran = await provision(["run", ...inventories, "--json"], { timeoutMs: provisionTimeoutMs });
    expect(ran.code, ran.stderr).toBe(0);
    expect(changesOf(ran).filter((change) => !change.startsWith("slave3:"))).toEqual([]);
    expect(changesOf(ran).length).toBeGreaterThan(5);
    const leader = await leadingMaster({ masters }, hosts);
    await fetchUntil(
      { url: `http://${leader}:5050/slaves`, withinMs: appTimeoutMs, what: "Mesos has slave3" },
      ({ body }) => body.includes('"slave3"'),
    );
  });
});

/** What a host says to an SSH client that is not ours. */
async function linesOf(name: string, command: string): Promise<string[]> {
  const client = new NodeSSH();
  await client.connect({ host: address(name), username: "ubuntu", privateKeyPath: hosts.privateKeyFile });
  const { stdout } = await client.execCommand(command);
  client.dispose();
  return stdout.split("\n").filter((line) => line !== "");
}

/** 40 requests at a time, until they saw so many instances: a proxy hears of a new one within seconds. */
async function seenUntil(count: number, url: string): Promise<ReadonlySet<string>> {
  const deadline = performance.now() + appTimeoutMs;
  for (;;) {
    const seen = new Set<string>();
    for (let n = 0; n < 40; n += 1) {
      const { status, body } = await fetchText({ url, host: "www.example.com" });
      if (status === 200) seen.add(body.trim());
    }
    if (seen.size >= count || performance.now() > deadline) return seen;
    await sleep(500);
  }
}

async function allTasks(master: string): Promise<string[]> {
  const { body } = await marathon("/v2/tasks", { master });
  const { tasks = [] }: { tasks?: Task[] } = JSON.parse(body);
  return tasks.map(({ id, host, startedAt }) => `${id} ${host} ${startedAt}`).sort();
}
