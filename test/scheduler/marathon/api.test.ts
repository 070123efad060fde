import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { soleLeadership } from "../../../src/scheduler/marathon/leadership.ts";
import { type RunningMarathon, runMarathon } from "../../../src/scheduler/marathon/marathon.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { seeded } from "../../support/seeded.ts";

let marathon: RunningMarathon;
let store: MemoryStore;

beforeEach(async () => {
  store = new MemoryStore();
  marathon = await runMarathon({
    bindIp: "127.0.0.1",
    port: 0,
    hostname: "127.0.0.1",
    detector: { current: undefined, onChange: () => () => undefined, close: () => undefined },
    leadership: soleLeadership,
    store,
    framework: { user: "nobody", name: "marathon" },
    log: () => undefined,
    random: seeded(7),
  });
});
afterEach(() => marathon.stop());

const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${marathon.url}${path}`, { redirect: "manual", ...init });
const send = (method: string, path: string, body?: unknown): Promise<Response> =>
  call(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

/** Versions and uuids differ from run to run. */
const still = (text: string): string =>
  text
    .replaceAll(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, "<uuid>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")
    .replaceAll(/127\.0\.0\.1:\d+/g, "<self>");

const shown = async (answer: Response): Promise<string> => still(`${answer.status} ${await answer.text()}`);
const app = { id: "www", cmd: "serve", cpus: 0.1, mem: 32 };
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe("apps", () => {
  test("POST answers 201 with the bare app, Location and the deployment", async () => {
    const answer = await send("POST", "/v2/apps", app);
    const body = (await answer.json()) as Record<string, unknown>;
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe("/www");
    expect(answer.headers.get("marathon-deployment-id")).toMatch(uuid);
    expect(body).toMatchObject({
      id: "/www",
      tasksStaged: 0,
      tasksRunning: 0,
      tasksHealthy: 0,
      tasksUnhealthy: 0,
      deployments: [{ id: answer.headers.get("marathon-deployment-id") }],
    });
  });

  test("every answer says not to be cached, and who leads", async () => {
    const { headers } = await call("/v2/apps");
    expect(headers.get("cache-control")).toBe("no-cache, no-store, must-revalidate");
    expect(headers.get("pragma")).toBe("no-cache");
    expect(headers.get("expires")).toBe("0");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("x-marathon-leader")).toBe(marathon.url);
  });

  test("an acknowledged app is in the store", async () => {
    await send("POST", "/v2/apps", app);
    expect([...store.values.keys()].filter((key) => key.startsWith("/apps"))).toEqual(["/apps/www"]);
  });

  test("a store that fails is a 503, and what was refused is not there afterwards", async () => {
    store.fault = new Error("disk full");
    expect((await send("POST", "/v2/apps", app)).status).toBe(503);
    store.fault = undefined;
    await expect.poll(async () => (await call("/v2/apps")).json(), { timeout: 5_000 }).toEqual({ apps: [] });
  });

  test.each<[string, string, unknown, string]>([
    ["PATCH", "/v2/apps/none", { instances: 1 }, `404 {"message":"App '/none' does not exist"}`],
    ["GET", "/v2/apps/none", undefined, `404 {"message":"App '/none' does not exist"}`],
    ["GET", "/v2/apps/none/versions", undefined, `404 {"message":"App '/none' does not exist"}`],
    ["DELETE", "/v2/apps/none", undefined, `404 {"message":"App '/none' does not exist"}`],
    ["GET", "/v2/groups/none", undefined, `404 {"message":"Group '/none' does not exist"}`],
    ["POST", "/v2/apps", app, `409 {"message":"An app with id [/www] already exists."}`],
    [
      "POST",
      "/v2/apps",
      { cmd: "x" },
      `400 {"message":"Invalid JSON","details":[{"path":"/id","errors":["error.path.missing"]}]}`,
    ],
    [
      "PUT",
      "/v2/apps/www",
      { instances: 2 },
      `409 {"message":"App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.","deployments":[{"id":"<uuid>"}]}`,
    ],
    [
      "PUT",
      "/v2/apps/www",
      { version: "x", instances: 2 },
      `422 {"message":"Object is not valid","details":[{"path":"/","errors":["The 'version' field may only be combined with the 'id' field."]}]}`,
    ],
    [
      "PUT",
      "/v2/apps/www?force=true",
      { version: "2000-01-01T00:00:00.000Z" },
      `404 {"message":"App '/www' does not exist in version <time>"}`,
    ],
    [
      "PUT",
      "/v2/apps/www?force=true",
      { instances: "x" },
      `400 {"message":"Invalid JSON","details":[{"path":"/instances","errors":["error.expected.jsnumber"]}]}`,
    ],
    ["PUT", "/v2/apps/www?force=True", { instances: 2 }, `200 {"version":"<time>","deploymentId":"<uuid>"}`],
    ["PUT", "/v2/apps/new", { cmd: "x" }, `201 {"version":"<time>","deploymentId":"<uuid>"}`],
    ["DELETE", "/v2/apps/www", undefined, `200 {"version":"<time>","deploymentId":"<uuid>"}`],
    [
      "POST",
      "/v2/apps/www/restart?force=true",
      undefined,
      `200 {"version":"<time>","deploymentId":"<uuid>"}`,
    ],
    [
      "DELETE",
      "/v2/apps/www/tasks?scale=True&wipe=true",
      undefined,
      `400 {"message":"You cannot use scale and wipe at the same time."}`,
    ],
    ["DELETE", "/v2/apps/www/tasks", undefined, `200 {"tasks":[]}`],
    ["DELETE", "/v2/apps/www/tasks/www.1", undefined, `404 {"message":"Task 'www.1' does not exist"}`],
    ["POST", "/v2/tasks/delete", { ids: ["www.1"] }, `200 {"tasks":[]}`],
    ["DELETE", "/v2/deployments/none", undefined, `404 {"message":"Deployment none does not exist"}`],
    [
      "DELETE",
      "/v2/queue/none/delay",
      undefined,
      `404 {"message":"Application /none not found in tasks queue."}`,
    ],
    ["DELETE", "/v2/queue/www/delay", undefined, "204 "],
    ["GET", "/v2/tasks", undefined, `200 {"tasks":[]}`],
    ["GET", "/v2/leader", undefined, `200 {"leader":"<self>"}`],
    [
      "GET",
      "/v2/events",
      undefined,
      `405 {"message":"This endpoint only answers with Accept: text/event-stream"}`,
    ],
    ["GET", "/v2/eventSubscriptions", undefined, `200 {"callbackUrls":[]}`],
    ["GET", "/ping", undefined, "200 pong"],
    ["GET", "/v1/endpoints", undefined, "200 www_10000 10000 \n"],
    ["POST", "/v1/tasks/kill?appId=www", undefined, `404 {"message":"No tasks matched your filters"}`],
    ["PATCH", "/v2/groups/", { enforceRole: true }, "200 "],
  ])("%s %s", async (method, path, body, expected) => {
    await send("POST", "/v2/apps", app);
    expect(await shown(await send(method, path, body))).toBe(expected);
  });

  test("broken JSON is a 400 with the parser's words", async () => {
    const answer = await call("/v2/apps", { method: "POST", body: '{"id":' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ message: "Invalid JSON", details: expect.any(String) });
  });

  test("filters by id, command and label", async () => {
    await send("POST", "/v2/apps", { ...app, id: "a", labels: { tier: "front" } });
    await send("POST", "/v2/apps", { ...app, id: "b", cmd: "other", labels: { tier: "back" } });
    const ids = async (query: string): Promise<string[]> => {
      const { apps } = (await (await call(`/v2/apps?${query}`)).json()) as { apps: { id: string }[] };
      return apps.map(({ id }) => id);
    };
    expect(await ids("id=A")).toEqual(["/a"]);
    expect(await ids("cmd=oth")).toEqual(["/b"]);
    expect(await ids("label=tier==front")).toEqual(["/a"]);
    expect(await ids("label=tier!=front")).toEqual(["/b"]);
    expect(await ids("label=tier%20in%20(front,back)")).toEqual(["/a", "/b"]);
    expect(await ids("label=tier%20notin%20(front),tier")).toEqual(["/b"]);
  });

  test("versions are listed newest first, can be read and gone back to", async () => {
    await send("POST", "/v2/apps", app);
    await send("PUT", "/v2/apps/www?force=true", { cmd: "next" });
    const { versions } = (await (await call("/v2/apps/www/versions")).json()) as { versions: string[] };
    expect(versions.toSorted().toReversed()).toEqual(versions);
    const first = versions.at(-1) ?? "";
    expect(await (await call(`/v2/apps/www/versions/${first}`)).json()).toMatchObject({ cmd: "serve" });
    await send("PUT", "/v2/apps/www?force=true", { version: first });
    expect(await (await call("/v2/apps/www")).json()).toMatchObject({ app: { cmd: "serve" } });
  });

  test("tasks as text have a line a service port, even without tasks", async () => {
    await send("POST", "/v2/apps", { ...app, id: "/shop/web", ports: [0, 0] });
    await send("POST", "/v2/apps", { ...app, id: "worker", ports: [] });
    const answer = await call("/v2/tasks", { headers: { Accept: "text/plain" } });
    expect(await answer.text()).toBe("shop_web\t10000\t\nshop_web\t10001\t\nworker\t \t\n");
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
  });
});

describe("deployments and the queue", () => {
  test("are shown as clients know them", async () => {
    await send("POST", "/v2/apps", app);
    expect(await shown(await call("/v2/deployments"))).toBe(
      `200 [{"id":"<uuid>","version":"<time>","affectedApps":["/www"],"affectedPods":[],"steps":[{"actions":[{"action":"StartApplication","app":"/www"}]},{"actions":[{"action":"ScaleApplication","app":"/www"}]}],"currentActions":[{"action":"ScaleApplication","app":"/www","readinessCheckResults":[]}],"currentStep":2,"totalSteps":2}]`,
    );
    const { queue } = (await (await call("/v2/queue")).json()) as { queue: object[] };
    expect(queue).toMatchObject([
      { count: 1, delay: { timeLeftSeconds: 0, overdue: true }, app: { id: "/www" } },
    ]);
  });

  test("are taken back with 200, or only stopped with 202", async () => {
    const id = async () =>
      (
        (await (await send("PUT", "/v2/apps/www?force=true", { cmd: "x", instances: 1 })).json()) as {
          deploymentId: string;
        }
      ).deploymentId;
    expect((await send("DELETE", `/v2/deployments/${await id()}?force=true`)).status).toBe(202);
    const second = (
      (await (await send("PUT", "/v2/apps/www?force=true", { instances: 2 })).json()) as {
        deploymentId: string;
      }
    ).deploymentId;
    const answer = await send("DELETE", `/v2/deployments/${second}`);
    expect(await shown(answer)).toBe(`200 {"version":"<time>","deploymentId":"<uuid>"}`);
    expect(await (await call("/v2/apps/www")).json()).toMatchObject({ app: { instances: 1 } });
  });
});

describe("groups", () => {
  const shop = {
    id: "/shop",
    groups: [{ id: "db", apps: [{ id: "pg", cmd: "x" }] }],
    apps: [{ id: "web", cmd: "x" }],
  };

  test("are created, read as a tree, scaled and deleted", async () => {
    const created = await send("POST", "/v2/groups", shop);
    expect([created.status, created.headers.get("location")]).toEqual([201, "/shop"]);
    expect((await send("POST", "/v2/groups", shop)).status).toBe(409);
    const tree = (await (await call("/v2/groups/shop")).json()) as object;
    expect(tree).toMatchObject({
      id: "/shop",
      apps: [{ id: "/shop/web" }],
      groups: [{ id: "/shop/db", apps: [{ id: "/shop/db/pg" }] }],
      dependencies: [],
      pods: [],
      enforceRole: false,
    });
    await send("PUT", "/v2/groups/shop?force=true", { scaleBy: 2 });
    expect(await (await call("/v2/apps/shop/web")).json()).toMatchObject({ app: { instances: 2 } });
    expect((await send("DELETE", "/v2/groups/shop?force=true")).status).toBe(200);
    expect((await call("/v2/groups/shop")).status).toBe(404);
    expect(await (await call("/v2/apps")).json()).toEqual({ apps: [] });
  });

  test("a dry run says the steps and changes nothing", async () => {
    const answer = await send("PUT", "/v2/groups/shop?dryRun=true", shop);
    expect(await shown(answer)).toBe(
      `200 {"steps":[{"actions":[{"action":"StartApplication","app":"/shop/web"},{"action":"StartApplication","app":"/shop/db/pg"}]},{"actions":[{"action":"ScaleApplication","app":"/shop/web"},{"action":"ScaleApplication","app":"/shop/db/pg"}]}]}`,
    );
    expect(await (await call("/v2/apps")).json()).toEqual({ apps: [] });
  });

  test("apps of a group are reached by a star", async () => {
    await send("POST", "/v2/groups", shop);
    const answer = (await (await call("/v2/apps/shop/*")).json()) as { "*": { id: string }[] };
    expect(answer["*"].map(({ id }) => id)).toEqual(["/shop/web", "/shop/db/pg"]);
  });

  test("an app cannot stand where a group is", async () => {
    await send("POST", "/v2/groups", shop);
    expect((await send("POST", "/v2/apps", { id: "/shop", cmd: "x" })).status).toBe(422);
    expect((await send("POST", "/v2/apps", { id: "/shop/web/x", cmd: "x" })).status).toBe(422);
  });
});

describe("events", () => {
  test("stream as Jetty frames them, filtered by type", async () => {
    const controller = new AbortController();
    const stream = await call("/v2/events?event_type=deployment_info&event_type=api_post_event", {
      headers: { Accept: "text/event-stream" },
      signal: controller.signal,
    });
    expect(stream.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const reader = stream.body?.getReader();
    await send("POST", "/v2/apps", app);
    let text = "";
    while (!text.includes("api_post_event\r\n") || !text.endsWith("\r\n\r\n")) {
      text += new TextDecoder().decode((await reader?.read())?.value);
    }
    controller.abort();
    const types = [...text.matchAll(/event: (\w+)\r\ndata: \{/g)].map(([, type]) => type);
    expect(new Set(types)).toEqual(new Set(["deployment_info", "api_post_event"]));
  });
});
