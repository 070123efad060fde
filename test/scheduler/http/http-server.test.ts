import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { basicAuth } from "../../../src/scheduler/http/basic-auth.ts";
import { requestBytes } from "../../../src/scheduler/http/http-client.ts";
import { HttpError } from "../../../src/scheduler/http/http-error.ts";
import {
  createServer,
  type HttpServer,
  type Route,
  type ServerOptions,
} from "../../../src/scheduler/http/http-server.ts";
import { proxyRequest } from "../../../src/scheduler/http/proxy-request.ts";
import { requestJson } from "../../../src/scheduler/http/request-json.ts";
import { jsonResponse, streamResponse, textResponse } from "../../../src/scheduler/http/response.ts";
import { staticPages } from "../../../src/scheduler/http/static-pages.ts";

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: ServerOptions): Promise<string> {
  const server = createServer({ ...options, limits: { closeGraceMs: 50, ...options.limits } });
  servers.push(server);
  const { port } = await server.listen(0, "127.0.0.1");
  return `http://127.0.0.1:${port}`;
}

const echo = (method: string, path: string): Route => ({
  method,
  path,
  handle: (request) => jsonResponse(200, { route: path, params: request.params }),
});
const whole: Route = {
  method: "*",
  path: "/echo",
  handle: async (request) => jsonResponse(200, { got: await request.json(), of: request.method }),
};

describe("routing", () => {
  const routes = [
    echo("GET", "/v2/apps"),
    echo("GET", "/v2/apps/*id/tasks/:task"),
    echo("GET", "/v2/apps/*id/tasks"),
    echo("GET", "/v2/apps/*id"),
    echo("DELETE", "/v2/apps/*id"),
    echo("POST", "/api/v1/scheduler"),
  ];
  const cases: readonly [string, string, Record<string, string>][] = [
    ["/v2/apps", "/v2/apps", {}],
    ["/v2/apps/", "/v2/apps", {}],
    ["/v2/apps/a", "/v2/apps/*id", { id: "a" }],
    ["/v2/apps//a/b", "/v2/apps/*id", { id: "a/b" }],
    ["/v2/apps/a%2Fb", "/v2/apps/*id", { id: "a/b" }],
    ["/v2/apps/group/*", "/v2/apps/*id", { id: "group/*" }],
    ["/v2/apps/a/b/tasks", "/v2/apps/*id/tasks", { id: "a/b" }],
    ["/v2/apps/a/b/tasks/t.1?x=1", "/v2/apps/*id/tasks/:task", { id: "a/b", task: "t.1" }],
  ];
  test.each(cases)("%s goes to %s", async (path, route, params) => {
    const url = await start({ routes });
    expect(await requestJson({ url: url + path })).toMatchObject({ status: 200, json: { route, params } });
  });

  test("an unknown path is 404, a known one with another method 405 with what it takes", async () => {
    const url = await start({ routes });
    expect(await requestJson({ url: `${url}/nope` })).toMatchObject({
      status: 404,
      json: { message: "URI not found" },
    });
    const answer = await requestJson({ url: `${url}/v2/apps/a`, method: "PUT", json: {} });
    expect(answer).toMatchObject({ status: 405, headers: { allow: "DELETE, GET" } });
  });

  test("HEAD is GET without a body, a broken percent-encoding a 400", async () => {
    const url = await start({ routes });
    const head = await requestBytes({ url: `${url}/v2/apps`, method: "HEAD" });
    expect([head.status, head.bytes.length, head.headers["content-length"]]).toEqual([200, 0, "32"]);
    expect((await requestJson({ url: `${url}/v2/apps/%zz` })).status).toBe(400);
  });
});

describe("bodies", () => {
  test("JSON comes and goes; a broken one is a 400 with the parser's words", async () => {
    const url = await start({ routes: [whole] });
    expect((await requestJson({ url: `${url}/echo`, method: "PUT", json: { a: [1] } })).json).toEqual({
      got: { a: [1] },
      of: "PUT",
    });
    const { status, bytes } = await requestBytes({ url: `${url}/echo`, body: "{a" });
    expect(status).toBe(400);
    expect(JSON.parse(bytes.toString())).toMatchObject({
      message: "Invalid JSON",
      details: expect.any(String),
    });
  });

  test("a body over the limit is a 413, declared or not", async () => {
    const url = await start({ routes: [whole], limits: { maxBodyBytes: 100 } });
    const body = JSON.stringify("x".repeat(200));
    expect((await requestBytes({ url: `${url}/echo`, body })).status).toBe(413);
    const chunked = await rawRequest(
      url,
      `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${(202).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413 /);
  });

  test("an answer of some size is packed for those who take gzip", async () => {
    const big = { text: "x".repeat(5_000) };
    const url = await start({
      routes: [{ method: "GET", path: "/", handle: () => jsonResponse(200, big) }],
    });
    const packed = await requestBytes({ url, headers: { "Accept-Encoding": "deflate, gzip" } });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(JSON.parse(gunzipSync(packed.bytes).toString())).toEqual(big);
    const plain = await requestBytes({ url, headers: { "Accept-Encoding": "gzip;q=0" } });
    expect(JSON.parse(plain.bytes.toString())).toEqual(big);
  });

  test("jsonp wraps JSON in the callback, and takes nothing that is no name", async () => {
    const url = await start({ routes: [echo("GET", "/state")] });
    const answer = await requestBytes({ url: `${url}/state?jsonp=my.cb_1` });
    expect(answer.bytes.toString()).toBe('my.cb_1({"route":"/state","params":{}});');
    expect(answer.headers["content-type"]).toBe("text/javascript");
    const refused = await requestBytes({ url: `${url}/state?jsonp=alert(1)` });
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.bytes.toString())).toEqual({ message: expect.stringContaining("jsonp") });
  });
});

describe("errors", () => {
  test("an HttpError is its answer, any other throw a 500 without inner words that is logged", async () => {
    const logged: unknown[] = [];
    const url = await start({
      log: (_, error) => logged.push(error),
      routes: [
        {
          method: "GET",
          path: "/known",
          handle: () => {
            throw new HttpError({ status: 422, message: "Object is not valid", details: [{ path: "/id" }] });
          },
        },
        {
          method: "GET",
          path: "/defect",
          handle: () => {
            throw new Error("secret");
          },
        },
      ],
    });
    expect(await requestJson({ url: `${url}/known` })).toMatchObject({
      status: 422,
      json: { message: "Object is not valid", details: [{ path: "/id" }] },
    });
    const defect = await requestJson({ url: `${url}/defect` });
    expect([defect.status, defect.json]).toEqual([500, { message: "Internal server error" }]);
    expect(logged).toEqual([new Error("secret")]);
  });

  test("basic authentication lets in who knows the password, and open paths", async () => {
    const url = await start({
      routes: [echo("GET", "/ping"), echo("GET", "/v2/info")],
      authenticate: basicAuth({
        realm: "Mesos",
        users: new Map([["ann", "s:cret"]]),
        isOpen: (request) => request.path === "/ping",
      }),
    });
    const status = async (path: string, credentials?: string): Promise<number> =>
      (await requestBytes({ url: url + path, credentials })).status;
    expect(await status("/ping")).toBe(200);
    expect(await status("/v2/info")).toBe(401);
    expect(await status("/v2/info", "ann:wrong")).toBe(401);
    expect(await status("/v2/info", "bob:s:cret")).toBe(401);
    expect(await status("/v2/info", "ann:s:cret")).toBe(200);
  });
});

describe("streams", () => {
  test("a reader that does not read is dropped", async () => {
    let dropped: () => void = () => undefined;
    const isDropped = new Promise<void>((resolve) => {
      dropped = resolve;
    });
    const url = await start({
      limits: { maxPendingBytes: 1_000_000 },
      routes: [
        {
          method: "GET",
          path: "/",
          handle: () =>
            streamResponse(200, {}, (sink) => {
              const timer = setInterval(() => {
                if (!sink.write(Buffer.alloc(500_000))) {
                  clearInterval(timer);
                  dropped();
                }
              }, 1);
            }),
        },
      ],
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.pause();
    await isDropped;
    socket.destroy();
  });
});

describe("proxying", () => {
  const via = { viaHeader: "X-Marathon-Via", host: "127.0.0.1" };
  const portOf = (url: string): number => Number(new URL(url).port);

  test("method, path, query, body and answer go through; the way is written down", async () => {
    const leader = await start({
      routes: [
        {
          method: "PUT",
          path: "/v2/apps/*id",
          handle: async (request) =>
            jsonResponse(
              201,
              {
                body: await request.json(),
                force: request.query.get("force"),
                via: request.header("x-marathon-via"),
                from: request.header("x-forwarded-for"),
              },
              { Location: "/a" },
            ),
        },
      ],
    });
    const follower = await start({
      routes: [],
      before: (request) => proxyRequest(request, { ...via, port: portOf(leader), self: "f:1" }),
    });
    const url = `${follower}/v2/apps/a/b?force=true`;
    expect(await requestJson({ url, method: "PUT", json: { cpus: 1 } })).toMatchObject({
      status: 201,
      headers: { location: "/a", "x-marathon-via": "1.1 f:1" },
      json: { body: { cpus: 1 }, force: "true", via: "1.1 f:1", from: "127.0.0.1" },
    });
  });

  test("a loop and a dead target are a 502", async () => {
    let ownPort = 0;
    const looping = await start({
      routes: [],
      before: (request) => proxyRequest(request, { ...via, port: ownPort, self: "f:1" }),
    });
    ownPort = portOf(looping);
    expect(await requestJson({ url: looping })).toMatchObject({
      status: 502,
      json: { message: "Detected proxying loop." },
    });
    ownPort = 1;
    const dead = await requestJson({ url: looping });
    expect([dead.status, dead.json]).toEqual([502, { message: "Could not reach 127.0.0.1:1" }]);
  });
});

test("an embedded page is served once, then known by its tag", async () => {
  const url = await start({
    routes: staticPages([{ path: "/ui", type: "text/html; charset=utf-8", content: "<p>hi</p>" }]),
  });
  const first = await requestBytes({ url: `${url}/ui/` });
  expect(first.bytes.toString()).toBe("<p>hi</p>");
  const headers = { "If-None-Match": String(first.headers.etag) };
  expect((await requestBytes({ url: `${url}/ui/`, headers })).status).toBe(304);
});

test("a call that takes too long fails and says that it may have been seen", async () => {
  const url = await start({
    routes: [{ method: "GET", path: "/", handle: () => new Promise(() => undefined) }],
  });
  await expect(requestBytes({ url, timeoutMs: 50 })).rejects.toMatchObject({
    name: "HttpCallError",
    sent: true,
    message: expect.stringContaining("50 ms"),
  });
  await expect(requestBytes({ url: "http://127.0.0.1:1/" })).rejects.toMatchObject({ sent: false });
});

test("a kept connection that the server closes just then does not fail a read", async () => {
  let answered = 0;
  const server = createTcpServer((socket) => {
    socket.once("data", () => {
      answered += 1;
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      // The next request on this connection meets a reset.
      socket.once("data", () => socket.resetAndDestroy());
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  expect((await requestBytes({ url })).bytes.toString()).toBe("ok");
  expect((await requestBytes({ url })).bytes.toString()).toBe("ok");
  await expect(
    requestBytes({ url, body: "x" }).then(() => requestBytes({ url, body: "x" })),
  ).rejects.toMatchObject({
    name: "HttpCallError",
    sent: true,
  });
  expect(answered).toBeGreaterThanOrEqual(2);
  server.close();
});

test("text stays text", async () => {
  const url = await start({
    routes: [{ method: "GET", path: "/ping", handle: () => textResponse(200, "pong") }],
  });
  expect((await requestJson({ url: `${url}/ping` })).json).toBe("pong");
});

function rawRequest(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
