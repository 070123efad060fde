import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderText } from "../../../src/provisioning/vars/render.ts";
import { contextOf, span } from "./contexts.ts";

/** In a process of its own: the lookup holds this one until the answer is there. */
const serving = `
require("node:http").createServer((asked, answer) => {
  if (asked.url === "/none") answer.statusCode = 404;
  answer.end(asked.url === "/auth" ? asked.headers.authorization : "one\\n{{ 7 * 7 }}\\n");
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });`;

let server: ChildProcess;
let base = "";
beforeAll(async () => {
  server = spawn(process.execPath, ["-e", serving], { stdio: ["ignore", "pipe", "inherit"] });
  if (server.stdout === null) throw new Error("the server has no output");
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  base = `http://127.0.0.1:${port.toString().trim()}`;
});
afterAll(() => server.kill());

const at = (expression: string, allowCommands = true): unknown =>
  renderText(`{{ ${expression} }}`, span, contextOf({ data: { base } }, { allowCommands }));

test("lines that an address answers are data", () => {
  expect(at("query('url', base)")).toEqual(["one", "{{ 7 * 7 }}"]);
  expect(at("lookup('url', base, split_lines=false)")).toBe("one\n{{ 7 * 7 }}\n");
  expect(at("lookup('url', base ~ '/auth', username='a', password='b')")).toBe("Basic YTpi");
});

test("what cannot be read says why", () => {
  expect(() => at("lookup('url', base ~ '/none')")).toThrow(/it answered 404/);
  expect(() => at("lookup('url', 'file:///etc/passwd')")).toThrow(/reads http and https/);
  expect(() => at("lookup('url', base)", false)).toThrow(/may not be read here/);
});
