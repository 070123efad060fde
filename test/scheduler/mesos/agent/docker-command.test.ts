import { describe, expect, test } from "vitest";
import {
  type DockerRun,
  dockerRunArgv,
  publishExposed,
} from "../../../../src/scheduler/mesos/agent/docker-command.ts";
import { parseResources } from "../../../../src/scheduler/mesos/protocol/resources.ts";

const run = (more: Partial<DockerRun>): string =>
  dockerRunArgv(
    {
      docker: "docker",
      containerId: "c1",
      container: { type: "DOCKER", docker: { image: "img" } },
      command: undefined,
      resources: parseResources("cpus:0.5;mem:64"),
      env: { A: "secret" },
      directory: "/s",
      cfsQuota: false,
      extraPorts: [],
      ...more,
    },
    "/w",
  ).join(" ");

const head = "docker run --cpu-shares 512 --memory 67108864 -e A";
const tail = "--name mesos-c1 --label provision.agent=/w --sig-proxy=false";

describe("docker run", () => {
  test("takes the host's network unless told otherwise, and values from the environment", () => {
    expect(run({})).toBe(`${head} -v /s:/mnt/mesos/sandbox --net host ${tail} img`);
  });

  test("a shell command overrides the entrypoint", () => {
    expect(run({ command: { value: "echo $A" } })).toContain(`--entrypoint /bin/sh ${tail} img -c echo $A`);
    expect(run({ command: { shell: false, value: "prog", arguments: ["x"] } })).toContain("img prog x");
    expect(run({ command: { shell: false } })).toMatch(/img$/);
  });

  test("bridges publish ports, volumes and parameters come along", () => {
    const line = run({
      container: {
        type: "DOCKER",
        hostname: "h",
        volumes: [
          { container_path: "/d", host_path: "/h", mode: "RO" },
          { container_path: "/e", host_path: "rel" },
        ],
        docker: {
          image: "img",
          network: "BRIDGE",
          privileged: true,
          port_mappings: [{ host_port: 31000, container_port: 80, protocol: "tcp" }],
          parameters: [{ key: "dns", value: "1.1.1.1" }],
        },
      },
    });
    expect(line).toBe(
      "docker run --privileged --cpu-shares 512 --memory 67108864 -e A -v /h:/d:ro -v /s/rel:/e -v /s:/mnt/mesos/sandbox " +
        `--net bridge --hostname h -p 31000:80/tcp ${tail} --dns=1.1.1.1 img`,
    );
  });

  test("limits never fall below what docker takes; a quota on request", () => {
    const line = run({ resources: parseResources("cpus:0.001;mem:1"), cfsQuota: true });
    expect(line).toContain("--cpu-shares 2 --cpu-period 100000 --cpu-quota 1000 --memory 33554432");
  });

  test("variables that would steer the client stay out of its environment", () => {
    expect(run({ env: { PATH: "/x", DOCKER_HOST: "y", B: "z" } })).toContain(
      "-e PATH=/x -e DOCKER_HOST=y -e B",
    );
  });
});

test.each([
  [
    [31001, 31002],
    ["8080/tcp", "53/udp"],
    ["31001:53/udp", "31002:8080/tcp"],
  ],
  [[31001], ["80/tcp", "443/tcp"], ["31001:80/tcp"]],
  [[31001, 31002], ["80/tcp"], ["31001:80/tcp"]],
  [[31001], [], ["31001:31001/tcp"]],
  [[], [], []],
])("host ports %j and EXPOSEd %j make %j", (hostPorts, exposed, expected) => {
  const made = publishExposed(hostPorts, exposed);
  expect(
    made.map(({ host_port, container_port, protocol }) => `${host_port}:${container_port}/${protocol}`),
  ).toEqual(expected);
});
