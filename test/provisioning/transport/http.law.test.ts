/** Requests over real sockets of this machine: redirects, proxies, sockets, certificates, long bodies. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { HttpRequest } from "../../../src/provisioning/host/question.ts";
import type { Env } from "../../../src/provisioning/host/step.ts";
import { directNetwork } from "../../../src/provisioning/transport/network.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-http-"));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

function listening(server: Server, at: number | string = 0): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    const ready = () => resolve((server.address() as AddressInfo).port);
    if (typeof at === "string") server.listen(at, ready);
    else server.listen(at, "127.0.0.1", ready);
  });
}
const serve = (listener: RequestListener, at?: string) => listening(createServer(listener), at);

const ask = (url: string, more: Partial<HttpRequest> = {}, env: Env = {}) =>
  directNetwork.http(
    {
      ...{ url, method: "GET", headers: {}, timeoutMs: 5000, followRedirects: "all" },
      ...{ validateCerts: true, maxBodyBytes: 1_000_000, ...more },
    },
    env,
  );
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const headersOf = (answer: { body: Uint8Array }) => JSON.parse(text(answer.body)) as Record<string, string>;
const echo: RequestListener = ({ headers, url }, response) =>
  response.end(JSON.stringify({ ...headers, url }));

test("credentials never follow a redirect to another address", async () => {
  const other = await serve(echo);
  const port = await serve((request, response) => {
    const there = request.url === "/away" ? `http://127.0.0.1:${other}/` : "/here";
    if (request.url === "/here") return void echo(request, response);
    response.writeHead(302, { location: there }).end();
  });
  const headers = { Authorization: "Basic c2VjcmV0", Cookie: "a=1", "X-Own": "1", "X-Kept": "1" };
  const request = { headers, unredirected: ["x-own"] };
  const away = headersOf(await ask(`http://127.0.0.1:${port}/away`, request));
  expect(away).toMatchObject({ "x-kept": "1" });
  expect(Object.keys(away).filter((name) => ["authorization", "cookie", "x-own"].includes(name))).toEqual([]);
  const here = headersOf(await ask(`http://127.0.0.1:${port}/`, request));
  expect(here).toMatchObject({ authorization: "Basic c2VjcmV0", cookie: "a=1" });
  expect(here["x-own"]).toBeUndefined();
});

test("a socket of the host is asked instead of TCP", async () => {
  const path = join(folder, "daemon.sock");
  await serve(echo, path);
  const answer = await ask("http://localhost/info", { unixSocket: path });
  expect(headersOf(answer)).toMatchObject({ url: "/info", host: "localhost" });
});

test("a gzipped body is unpacked, and counts by its unpacked length", async () => {
  const port = await serve((_request, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(10_000))),
  );
  const url = `http://127.0.0.1:${port}/`;
  expect((await ask(url, { decompress: true })).body).toHaveLength(10_000);
  expect((await ask(url)).body.length).toBeLessThan(1000);
  expect(await ask(url, { decompress: true, maxBodyBytes: 9_999 })).toMatchObject({ status: -1 });
});

test("a long body goes into a file, with its digests", async () => {
  const body = Buffer.alloc(300_000, "abc");
  const port = await serve((_request, response) => response.end(body));
  const spool = { aboveBytes: 1000, digests: ["sha1"] };
  const { file, body: inMemory } = await ask(`http://127.0.0.1:${port}/`, { spool });
  expect(inMemory).toHaveLength(0);
  expect(file).toMatchObject({
    sizeBytes: body.length,
    digests: { sha1: createHash("sha1").update(body).digest("hex") },
  });
  expect(readFileSync(file?.file ?? "").equals(body)).toBe(true);
  const tooLong = await ask(`http://127.0.0.1:${port}/`, { spool, maxBodyBytes: 2000 });
  expect(tooLong).toMatchObject({ status: -1, failure: "the answer is longer than 2000 bytes" });
  rmSync(file?.file ?? "");
  expect(existsSync(file?.file ?? "")).toBe(false);
});

test("proxies of the environment are used, unless no_proxy names the address", async () => {
  const seen: string[] = [];
  const target = await serve(echo);
  const proxyServer = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers["proxy-authorization"]}`);
    echo(request, response);
  });
  proxyServer.on("connect", (request: IncomingMessage, client, head) => {
    seen.push(`CONNECT ${request.url}`);
    const [host = "", port] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 yes\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
  });
  const proxy = await listening(proxyServer);
  const env = { http_proxy: `http://user:pw@127.0.0.1:${proxy}`, HTTPS_PROXY: `127.0.0.1:${proxy}` };
  const url = `http://127.0.0.1:${target}/a?b`;
  await ask(url, { useProxy: true }, env);
  expect(seen).toEqual([`${url} Basic ${Buffer.from("user:pw").toString("base64")}`]);
  await ask(url, { useProxy: true }, { ...env, no_proxy: "localhost, 127.0.0.1" });
  await ask(url, {}, env);
  expect(seen).toHaveLength(1);
  const tls = await secureServer({ wantsClient: false });
  expect(await ask(tls.url, { useProxy: true, tls: { ca: tls.cert } }, env)).toMatchObject({ status: 200 });
  expect(seen[1]).toMatch(/^CONNECT 127.0.0.1:\d+$/);
});

test("a client's certificate opens what is closed without it, and a CA of one's own is believed", async () => {
  const { url, cert, key } = await secureServer({ wantsClient: true });
  expect(await ask(url)).toMatchObject({ status: -1 });
  expect(await ask(url, { tls: { ca: cert } })).toMatchObject({ status: -1 });
  expect(await ask(url, { tls: { ca: cert, cert, key } })).toMatchObject({ status: 200 });
});

async function secureServer({ wantsClient }: { readonly wantsClient: boolean }) {
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const config = join(folder, "openssl.cnf");
  writeFileSync(config, "[req]\ndistinguished_name=dn\n[dn]\n");
  execFileSync(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-config", config],
      ...["-keyout", keyFile, "-out", certFile],
    ],
    { stdio: "pipe" },
  );
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile)];
  const options = { key, cert, ...(wantsClient ? { requestCert: true, ca: cert } : {}) };
  const port = await listening(createTlsServer(options, echo) as unknown as Server);
  return { url: `https://127.0.0.1:${port}/`, key, cert };
}
