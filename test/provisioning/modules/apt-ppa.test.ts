import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import type { Answer, Answers, Question } from "../../../src/provisioning/host/question.ts";
import { loadModule } from "../../../src/provisioning/modules/index.ts";
import type { ModuleContext, Plan } from "../../../src/provisioning/modules/module.ts";
import { keyFingerprint } from "../../../src/provisioning/modules/openpgp-key.ts";

/** Made for this test by gpg, which also said its fingerprint. */
const armoured = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawGr8BYJKwYBBAHaRw8BAQdAAE6Zt0rn5v81b56yaSbzJNPK9wRwNjPUgEJo
Uq0aWWy0CGVkIDxlQGI+iJYEExYIAD4WIQT5YO7/e8pK6R90gRVUVjLdH+s18AUC
awGr8AIbAwUJA8JnAAULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRBUVjLdH+s1
8KwrAP4hM4uuE5KdVOLbEFniUuAuwQueiVqFCq2i0rSJRzZMSAD6A0vhAbDXi6ux
xmbpiUCm8i816g3HYpGr7+ZoiiBquAI=
=6mux
-----END PGP PUBLIC KEY BLOCK-----
`;
const fingerprint = "F960EEFF7BCA4AE91F748115545632DD1FEB35F0";
const archiveUrl = "https://launchpad.net/api/1.0/~owner/+archive/tools";
const keyUrl = `https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x${fingerprint}`;
const bytes = (text: string) => new TextEncoder().encode(text);

interface World {
  readonly release: string;
  readonly sources?: string;
  readonly hasKey?: boolean;
  readonly pages: Readonly<Record<string, string | number>>;
}
const world: World = {
  release: "jammy",
  pages: { [archiveUrl]: JSON.stringify({ signing_key_fingerprint: fingerprint }), [keyUrl]: armoured },
};

function answerOf(question: Question, { release, sources, hasKey, pages }: World): Answer {
  if (question.of === "script") {
    const list = sources === undefined ? "" : `/etc/apt/sources.list\n${sources.length}\n${sources}`;
    const stdout = bytes(question.sh.includes("os-release") ? `${release}\n` : list);
    return { of: "script", value: { code: 0, stdout, stderr: bytes("") } };
  }
  if (question.of === "http") {
    const page = pages[question.request.url];
    const status = typeof page === "number" ? page : page === undefined ? 404 : 200;
    const body = bytes(typeof page === "string" ? page : "");
    return { of: "http", value: { status, headers: {}, body, url: question.request.url, elapsedMs: 1 } };
  }
  const stat =
    hasKey === true ? ({ exists: true, type: "file", mode: 0o644 } as never) : { exists: false as const };
  return { of: "path", value: { stat } };
}

async function run(
  args: JsonObject,
  world: World,
): Promise<{ plan: Plan; fetched: string[]; result: JsonObject }> {
  const module = await loadModule("apt_repository");
  if (module.kind !== "host") throw new Error("apt_repository acts on hosts");
  const given: unknown = module.args.parse(args);
  const fetched: string[] = [];
  let earlier: Answers = [];
  for (let round = 0; ; round++) {
    const context = {
      host: "a",
      check: false,
      diff: true,
      sources: [],
      now: 0,
      round,
      elapsedMs: 0,
      earlier,
    };
    const full = { ...context, facts: { ansible: {}, base: {} as never } } as ModuleContext;
    const questions: readonly Question[] = module.ask(given, full);
    for (const question of questions) if (question.of === "http") fetched.push(question.request.url);
    earlier = questions.map((question) => answerOf(question, world));
    const state: unknown = module.read(earlier, given, full);
    const plan = module.plan(given, state, full);
    if (plan.again === true && round < 5) continue;
    return {
      plan,
      fetched: [...new Set(fetched)],
      result: module.result?.(state, noOutcome, given, full) ?? {},
    };
  }
}
const noOutcome = { changed: true, failed: false, steps: [] };
const ppa = { repo: "ppa:owner/tools", update_cache: false };
const line = "deb http://ppa.launchpad.net/owner/tools/ubuntu jammy main\n";
const written = ({ plan }: { plan: Plan }) =>
  plan.steps.map((step) =>
    step.do === "write" && "bytes" in step.from
      ? [step.path, new TextDecoder().decode(step.from.bytes)]
      : step.why,
  );

describe("a personal archive of Launchpad", () => {
  test("brings its key, then its source", async () => {
    const ran = await run(ppa, world);
    expect(written(ran)).toEqual([
      ["/etc/apt/trusted.gpg.d/owner-ubuntu-tools.asc", armoured],
      ["/etc/apt/sources.list.d/ppa_owner_tools_jammy.list", line],
    ]);
    expect(ran.fetched).toEqual([archiveUrl, keyUrl]);
    expect(ran.result).toMatchObject({
      sources_added: ["/etc/apt/sources.list.d/ppa_owner_tools_jammy.list"],
    });
  });

  test("is called ppa where it has no name, and is of the release that the task names", async () => {
    const pages = {
      ...world.pages,
      "https://launchpad.net/api/1.0/~owner/+archive/ppa": world.pages[archiveUrl] ?? "",
    };
    const ran = await run({ ...ppa, repo: "ppa:owner", codename: "noble" }, { ...world, pages });
    expect(written(ran)[1]).toEqual([
      "/etc/apt/sources.list.d/ppa_owner_noble.list",
      "deb http://ppa.launchpad.net/owner/ppa/ubuntu noble main\n",
    ]);
  });

  test.each([
    ["is there", line],
    [
      "is there under its new address",
      line.replace("http://ppa.launchpad.net", "https://ppa.launchpadcontent.net"),
    ],
  ])("that %s needs nobody to be asked", async (_how, sources) => {
    const ran = await run(ppa, { ...world, sources });
    expect(ran.plan).toMatchObject({ steps: [] });
    expect(ran.fetched).toEqual([]);
  });

  test("whose key is there needs nobody to be asked", async () => {
    const ran = await run(ppa, { ...world, hasKey: true });
    expect(ran.plan.steps).toHaveLength(1);
    expect(ran.fetched).toEqual([]);
  });

  test("goes without anybody being asked", async () => {
    const ran = await run({ ...ppa, state: "absent" }, { ...world, sources: line });
    expect(ran.plan.steps).toMatchObject([{ do: "run", why: "remove /etc/apt/sources.list" }]);
    expect(ran.fetched).toEqual([]);
  });

  test.each<readonly [string, JsonObject, Partial<World>, string]>([
    ["a host that is no Ubuntu", ppa, { release: "" }, "is for Ubuntu, which this host is not"],
    ["what is no name", { repo: "ppa:../x" }, {}, "is not a source: ppa:OWNER/NAME"],
    [
      "an archive that is not there",
      ppa,
      { pages: {} },
      'Launchpad told no key of "ppa:owner/tools": it answered 404',
    ],
    ["an answer that is none", ppa, { pages: { [archiveUrl]: "<html>" } }, "it answered 200"],
    [
      "a key that is not there",
      ppa,
      { pages: { ...world.pages, [keyUrl]: 404 } },
      `no key ${fingerprint} from`,
    ],
    [
      "another key",
      ppa,
      {
        pages: {
          ...world.pages,
          [archiveUrl]: JSON.stringify({ signing_key_fingerprint: "0".repeat(40) }),
          [keyUrl.replace(fingerprint, "0".repeat(40))]: armoured,
        },
      },
      `gave ${fingerprint}, not the key ${"0".repeat(40)}`,
    ],
  ])("is refused for %s", async (_what, args, change, why) => {
    const { plan } = await run(args, { ...world, ...change });
    expect(plan.fail).toContain(why);
    expect(plan.steps).toEqual([]);
  });
});

describe("the fingerprint of a key", () => {
  test("is gpg's, in armour and out of it", () => {
    const body = armoured.split("\n\n")[1]?.split("\n=")[0] ?? "";
    expect(keyFingerprint(bytes(armoured))).toBe(fingerprint);
    expect(keyFingerprint(bytes(armoured.replaceAll("\n", "\r\n")))).toBe(fingerprint);
    expect(keyFingerprint(Buffer.from(body, "base64"))).toBe(fingerprint);
  });

  test.each(["", "root:x:0:0", armoured.slice(0, 120)])("%j has none", (text) => {
    expect(keyFingerprint(bytes(text))).toBeUndefined();
  });
});
