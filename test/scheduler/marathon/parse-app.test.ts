import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/base/json.ts";
import { ApiError } from "../../../src/scheduler/marathon/model/api-error.ts";
import type { AppDefinition } from "../../../src/scheduler/marathon/model/app.ts";
import { appJson } from "../../../src/scheduler/marathon/model/app-json.ts";
import { applyUpdate } from "../../../src/scheduler/marathon/model/app-update.ts";
import { parseAppUpdate } from "../../../src/scheduler/marathon/model/parse-app.ts";
import { absoluteId } from "../../../src/scheduler/marathon/model/path-id.ts";
import { validateApp } from "../../../src/scheduler/marathon/model/validate-app.ts";

const version = "2026-01-01T00:00:00.000Z";

/** A new app, as POST makes it. */
function parse(json: JsonValue): AppDefinition {
  const said = parseAppUpdate(json);
  const spec = applyUpdate(absoluteId(said.id ?? ""), undefined, said);
  validateApp(spec);
  return { ...spec, version, lastScalingAt: version, lastConfigChangeAt: version };
}

describe("the apps that clients have always posted", () => {
  test("the oldest container: bridge network, EXPOSEd ports, numbers as strings", () => {
    const app = parse({
      id: "www",
      cpus: ".25",
      mem: 64,
      instances: 4,
      ports: [0],
      uris: [],
      container: { image: "docker:///provision/hello" },
    });
    expect(app).toMatchObject({
      id: "/www",
      cpus: 0.25,
      mem: 64,
      instances: 4,
      networks: [{ mode: "container/bridge" }],
      portDefinitions: [],
      container: {
        type: "DOCKER",
        docker: { image: "provision/hello", mapsExposedPorts: true },
        portMappings: [{ containerPort: 0, hostPort: 0, servicePort: 0 }],
      },
    });
  });

  test("docker with BRIDGE and portMappings inside", () => {
    const app = parse({
      id: "hello-docker",
      cpus: 0.1,
      mem: 64.0,
      instances: 1,
      container: {
        type: "DOCKER",
        docker: {
          image: "provision/hello",
          network: "BRIDGE",
          portMappings: [{ containerPort: 3000, hostPort: 0, servicePort: 9000, protocol: "tcp" }],
        },
      },
    });
    expect(app).toMatchObject({
      networks: [{ mode: "container/bridge" }],
      container: { portMappings: [{ containerPort: 3000, hostPort: 0, servicePort: 9000 }] },
    });
  });

  test("cmd with uris, env and a constraint", () => {
    const app = parse({
      id: "play",
      cmd: "exec ./serve --port $PORT",
      uris: ["http://files.local/serve.tar.gz"],
      env: { SECRET: "x" },
      mem: 32,
      cpus: 0.1,
      instances: 2,
      constraints: [["hostname", "UNIQUE"]],
    });
    expect(app).toMatchObject({
      fetch: [{ uri: "http://files.local/serve.tar.gz", extract: true }],
      env: { SECRET: "x" },
      constraints: [{ field: "hostname", operator: "UNIQUE" }],
      portDefinitions: [{ port: 0, name: "default" }],
      networks: [{ mode: "host" }],
    });
  });

  test.each<[string, JsonObject, object]>([
    [
      "options of the oldest container",
      { container: { image: "docker:///i:1", options: ["-v", "/a:/b:ro", "-e", "K=V", "--dns=10.0.0.1"] } },
      {
        env: { K: "V" },
        container: {
          volumes: [{ hostPath: "/a", containerPath: "/b", mode: "RO" }],
          docker: { image: "i:1", parameters: [{ key: "dns", value: "10.0.0.1" }] },
        },
      },
    ],
    [
      "a registry in the image's URL",
      { container: { image: "docker://registry.local:5000/team/img" } },
      { container: { docker: { image: "registry.local:5000/team/img" } } },
    ],
    [
      "the docker executor of the first interface",
      { executor: "/var/lib/mesos/executors/docker", cmd: "team/img run it" },
      {
        executor: "",
        args: ["run", "it"],
        container: { docker: { image: "team/img", mapsExposedPorts: true } },
      },
    ],
    [
      "one flat constraint",
      { cmd: "x", constraints: ["hostname", "UNIQUE", ""] },
      { constraints: [{ field: "hostname", operator: "UNIQUE" }] },
    ],
    [
      "a constraint in one word",
      { cmd: "x", constraints: ["rack:LIKE:r[12]"] },
      { constraints: [{ field: "rack", operator: "LIKE", value: "r[12]" }] },
    ],
    [
      "service ports",
      { cmd: "x", ports: [8080, 0] },
      { portDefinitions: [{ port: 8080, name: "default" }, { port: 0 }] },
    ],
    ["no ports", { cmd: "x", ports: [] }, { portDefinitions: [] }],
    [
      "a HOST network",
      { container: { type: "DOCKER", docker: { image: "i", network: "HOST" } } },
      { networks: [{ mode: "host" }] },
    ],
    [
      "networks of today",
      {
        networks: [{ mode: "container/bridge" }],
        container: { type: "DOCKER", docker: { image: "i" }, portMappings: [{ containerPort: 80 }] },
      },
      { container: { portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 0 }] } },
    ],
  ])("%s", (_name, json, expected) => {
    expect(parse({ id: "a", ...json })).toMatchObject(expected);
  });

  test("what is given back can be posted again and says the same", () => {
    for (const json of [
      { id: "a", container: { image: "docker:///i" }, ports: [0, 0] },
      { id: "b", cmd: "x", ports: [1, 2], uris: ["http://h/a.tgz"], healthChecks: [{ protocol: "HTTP" }] },
      { id: "c", args: ["x"], container: { type: "DOCKER", docker: { image: "i", network: "BRIDGE" } } },
      { id: "d", cmd: "x", constraints: [["a", "LIKE", "b"]], unreachableStrategy: "disabled" },
    ]) {
      const app = parse(json);
      const { version: _version, ...shown } = appJson(app);
      expect(parse(shown)).toEqual(app);
    }
  });
});

describe("defaults", () => {
  test("are Marathon's", () => {
    expect(appJson(parse({ id: "/a", cmd: "x" }))).toMatchInlineSnapshot(`
      {
        "backoffFactor": 1.15,
        "backoffSeconds": 1,
        "cmd": "x",
        "constraints": [],
        "cpus": 1,
        "dependencies": [],
        "disk": 0,
        "env": {},
        "executor": "",
        "fetch": [],
        "gpus": 0,
        "healthChecks": [],
        "id": "/a",
        "instances": 1,
        "killSelection": "YOUNGEST_FIRST",
        "labels": {},
        "maxLaunchDelaySeconds": 300,
        "mem": 128,
        "networks": [
          {
            "mode": "host",
          },
        ],
        "portDefinitions": [
          {
            "labels": {},
            "name": "default",
            "port": 0,
            "protocol": "tcp",
          },
        ],
        "ports": [
          0,
        ],
        "readinessChecks": [],
        "requirePorts": false,
        "unreachableStrategy": {
          "expungeAfterSeconds": 0,
          "inactiveAfterSeconds": 0,
        },
        "upgradeStrategy": {
          "maximumOverCapacity": 1,
          "minimumHealthCapacity": 1,
        },
        "uris": [],
        "version": "2026-01-01T00:00:00.000Z",
        "versionInfo": {
          "lastConfigChangeAt": "2026-01-01T00:00:00.000Z",
          "lastScalingAt": "2026-01-01T00:00:00.000Z",
        },
      }
    `);
  });
});

const refusal = (json: JsonValue): { status: number; details: unknown } => {
  try {
    parse(json);
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, details: error.body["details"] };
    throw error;
  }
  return { status: 0, details: "accepted" };
};

describe("what does not fit is refused in Marathon's words", () => {
  test.each<[JsonValue, number, string, string]>([
    [[], 400, "/", "error.expected.jsobject"],
    [{ id: "a", cmd: "x", instances: "many" }, 400, "/instances", "error.expected.jsnumber"],
    [{ id: "a", cmd: "x", instances: 1.5 }, 400, "/instances", "error.expected.int"],
    [{ id: "a", cmd: 1 }, 400, "/cmd", "error.expected.jsstring"],
    [{ id: "a", cmd: "x", env: [] }, 400, "/env", "error.expected.jsobject"],
    [
      { id: "a", cmd: "x", healthChecks: [{ protocol: "SMTP" }] },
      400,
      "/healthChecks(0)/protocol",
      "error.unknown.enum.literal",
    ],
    [
      { id: "a", cmd: "x", constraints: [["h", "NEAR"]] },
      400,
      "/constraints(0)(1)",
      "error.unknown.enum.literal",
    ],
    [
      { id: "a", container: { type: "DOCKER", docker: {} } },
      400,
      "/container/docker/image",
      "error.path.missing",
    ],
    [
      { id: "a" },
      422,
      "/",
      "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    ],
    [
      { id: "a", cmd: "x", args: ["y"] },
      422,
      "/",
      "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    ],
    [{ id: "/", cmd: "x" }, 422, "/id", "must not be root"],
    [
      { id: "A", cmd: "x" },
      422,
      "/id",
      "must fully match regular expression '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$'",
    ],
    [
      { id: "a/restart", cmd: "x" },
      422,
      "/id",
      "must not end with any of the reserved identifiers: restart, tasks, versions",
    ],
    [{ id: "a", cmd: "x", instances: -1 }, 422, "/instances", "got -1, expected 0 or more"],
    [{ id: "a", cmd: "x", cpus: -1 }, 422, "/cpus", "got -1, expected 0 or more"],
    [{ id: "a", cmd: "x", ports: [1, 1] }, 422, "/", "ports must be unique"],
    [
      { id: "a", cmd: "x", portDefinitions: [{ name: "n" }, { name: "n" }] },
      422,
      "/portDefinitions",
      "Port names must be unique.",
    ],
    [
      {
        id: "a",
        cmd: "x",
        networks: [{ mode: "host" }],
        container: { type: "DOCKER", docker: { image: "i" }, portMappings: [{ containerPort: 1 }] },
      },
      422,
      "/",
      "portMappings are not allowed with host-networking",
    ],
    [
      { id: "a", cmd: "x", networks: [{ mode: "container", name: "n" }], portDefinitions: [{ port: 0 }] },
      422,
      "/",
      "portDefinitions are only allowed with host-networking",
    ],
    [
      { id: "a", cmd: "x", healthChecks: [{ protocol: "HTTP", portIndex: 1 }] },
      422,
      "/healthChecks(0)",
      "Health check port indices must address an element of the ports array or container port mappings.",
    ],
    [
      {
        id: "a",
        cmd: "x",
        healthChecks: [{ protocol: "COMMAND", command: { value: "t" } }, { protocol: "MESOS_TCP" }],
      },
      422,
      "/",
      "AppDefinition can contain at most one Mesos health check",
    ],
    [
      { id: "a", cmd: "x", readinessChecks: [{ portName: "nope" }] },
      422,
      "/readinessChecks(0)/portName",
      "No port definition reference for portName nope",
    ],
    [
      {
        id: "a",
        cmd: "x",
        readinessChecks: [{ portName: "default", intervalSeconds: 5, timeoutSeconds: 5 }],
      },
      422,
      "/readinessChecks(0)/timeoutSeconds",
      "got 5, expected less than 5",
    ],
    [
      { id: "a", cmd: "x", constraints: [["h", "MAX_PER", "x"]] },
      422,
      "/constraints(0)",
      "Value was not specified or is not a number",
    ],
    [
      { id: "a", cmd: "x", constraints: [["h", "LIKE", "("]] },
      422,
      "/constraints(0)",
      "'(' is not a valid regular expression",
    ],
    [
      { id: "a", cmd: "x", upgradeStrategy: { minimumHealthCapacity: 2 } },
      422,
      "/upgradeStrategy/minimumHealthCapacity",
      "got 2, expected between 0.0 and 1.0",
    ],
    [{ id: "a", cmd: "" }, 422, "/cmd", "must not be an empty string"],
  ])("%j", (json, status, path, error) => {
    const found = refusal(json);
    expect(found.status).toBe(status);
    expect(found.details).toContainEqual({ path, errors: [error] });
  });
});
