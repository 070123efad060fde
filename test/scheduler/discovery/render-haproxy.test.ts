import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { portsIn, renderHaproxy, serversIn } from "../../../src/scheduler/discovery/render-haproxy.ts";
import { readServedApps, type ServedApp } from "../../../src/scheduler/discovery/served-app.ts";
import { haproxyCases, renderCase } from "../../support/haproxy-cases.ts";
import fc from "../../support/property.ts";

const golden = join(import.meta.dirname, "../../golden/discovery");

describe("haproxy.cfg", () => {
  test.each(haproxyCases)("$name: $says", async (each) => {
    const { text, problems } = renderCase(each);
    const told = problems.map((problem) => `# ${problem}\n`).join("");
    await expect(`${text}${told}`).toMatchFileSnapshot(join(golden, `${each.name}.cfg`));
  });

  test("the order of Marathon's answer does not matter, and servers keep their names", () => {
    const [each] = haproxyCases.filter(({ name }) => name === "master");
    const apps = readServedApps(each?.answer) ?? [];
    const turned = apps.map((app) => ({ ...app, instances: app.instances.toReversed() })).toReversed();
    const { text } = renderHaproxy(apps, { frontPort: 80 });
    expect(renderHaproxy(turned, { frontPort: 80 }).text).toBe(text);
    const fewer = apps.map((app) => ({ ...app, instances: app.instances.slice(1) }));
    const left = serversIn(renderHaproxy(fewer, { frontPort: 80 }).text);
    expect([...left].filter((name) => !serversIn(text).has(name))).toEqual([]);
  });

  test("whatever Marathon says, each line is one that the template wrote, and no port is bound twice", () => {
    const nasty = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "a\n bind *:1",
        "x } { ",
        "www",
        "/www",
        "/a/b",
        "*.a.com",
        "true",
        "10.0.0.1",
        "80",
        "\\",
        '"',
      ),
    );
    const app: fc.Arbitrary<ServedApp> = fc.record({
      id: nasty,
      labels: fc.dictionary(
        fc.constantFrom(
          "HAPROXY_0_VHOST",
          "HAPROXY_0_PATH",
          "HAPROXY_0_BALANCE",
          "HAPROXY_0_PORT",
          "HAPROXY_0_BIND_ADDR",
        ),
        nasty,
      ),
      hasHealthChecks: fc.boolean(),
      ports: fc.array(
        fc.record({
          servicePort: fc.integer({ min: 9_990, max: 10_010 }),
          protocol: fc.constantFrom("tcp", "udp"),
          healthPath: fc.option(nasty, { nil: undefined }),
        }),
        { maxLength: 2 },
      ),
      instances: fc.array(
        fc.record({
          id: nasty,
          host: nasty,
          ports: fc.array(fc.option(fc.integer(), { nil: undefined }), { maxLength: 2 }),
          isHealthy: fc.option(fc.boolean(), { nil: undefined }),
        }),
        { maxLength: 3 },
      ),
    });
    const known =
      /^($|# |(global|defaults|listen [\w.-]+|frontend [\w-]+|backend app:[\w.:-]+)$| {4}(log|stats|chroot|user|group|daemon|hard-stop-after|#|mode|retry-on|option|balance|retries|timeout|default-server|bind|http-request|use_backend|cookie|server) ?)/;
    fc.assert(
      fc.property(fc.array(app, { maxLength: 5 }), (apps) => {
        const { text } = renderHaproxy(apps, { frontPort: 80 });
        for (const line of text.split("\n")) expect(line).toMatch(known);
        const servers = text.split("\n").filter((line) => line.startsWith("    server "));
        for (const line of servers) expect(line.trim().split(/\s+/)).toHaveLength(3);
        const binds = [...text.matchAll(/^ +bind (\S+)$/gm)].map(([, bind]) => bind?.split(":").at(-1));
        expect(new Set(binds).size).toBe(binds.length);
      }),
    );
  });

  test("a broken template is an error, not an empty file", () => {
    expect(() => renderHaproxy([], {}, "{{#if")).toThrow();
    expect(() => renderHaproxy([], {}, "{{nothing}}")).toThrow("nothing");
    expect(renderHaproxy([], {}, "ok {{connectTimeoutMs}}").text).toBe("ok 2000");
  });

  test("a password that could break out is refused", () => {
    for (const statsPassword of ["a b", "a\nb", 'a"b', "a#b", ""]) {
      expect(() => renderHaproxy([], { statsPassword })).toThrow(TypeError);
    }
  });

  test("what is no answer of Marathon is none", () => {
    for (const answer of [undefined, null, "x", [], {}, { apps: {} }])
      expect(readServedApps(answer)).toBeUndefined();
    expect(readServedApps({ apps: [1, null, {}] })).toHaveLength(1);
  });

  test("ports and servers are found again in a rendered file", () => {
    const [each] = haproxyCases.filter(({ name }) => name === "master");
    const text = each === undefined ? "" : renderCase(each).text;
    expect([...portsIn(text)].sort((a, b) => a - b)).toEqual([80, 9000, 9090, 9091, 10000, 10002]);
    expect(serversIn(text)).toContain("www.instance-a._app.1:31002");
  });
});
