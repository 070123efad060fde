import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { compileQuestions } from "../../../src/provisioning/host/compile-questions.ts";
import { gatherFactsScript, readGatheredFacts } from "../../../src/provisioning/host/gather-facts.ts";
import { decodeHostText, encodeHostText } from "../../../src/provisioning/host/host-text.ts";
import { parseListing, permissionBits } from "../../../src/provisioning/host/path-stat.ts";
import type { AnswerOf, Question } from "../../../src/provisioning/host/question.ts";
import { readAnswers } from "../../../src/provisioning/host/read-answers.ts";
import fc from "../../support/property.ts";

const nonce = "0123456789abcdef0123456789abcdef";
/** What a host would have printed: sections with these bodies. */
const output = (sections: Readonly<Record<string, string>>) => ({
  stdout: Buffer.from(
    `${nonce}\n${Object.entries(sections)
      .map(([name, body]) => `\n${nonce} ${name}\n${body}`)
      .join("")}\n${nonce} end\n`,
  ),
  stderr: Buffer.alloc(0),
});
function values<K extends Question["of"]>(
  sections: Readonly<Record<string, string>>,
  questions: readonly (Question & { of: K })[],
): AnswerOf[K][] {
  return readAnswers(output(sections), questions).map(({ value }) => value as AnswerOf[K]);
}

describe("units under systemd", () => {
  const systemd = [
    "Id=haproxy.service\nNames=haproxy.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nExecStart={ path=/x ; argv[]=/x -a=b }\n",
    "Id=mariadb.service\nNames=mariadb.service mysql.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=disabled\n",
    "Id=old.service\nNames=old.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=generated\n",
    "Id=off.service\nNames=off.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n",
    "Id=nope.service\nNames=nope.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n",
    "Id=apt.timer\nNames=apt.timer\nLoadState=loaded\nActiveState=active\nUnitFileState=static\n",
  ].join("\n");
  const names = ["haproxy", "mysql", "old", "off", "nope", "apt.timer"];
  const units = values(
    { systemd, rc: "old\n" },
    names.map((name) => ({ of: "unit" as const, name })),
  );

  test("each is found, by its name or by an alias", () => {
    expect(units.map(({ exists, active, enabled }) => [exists, active, enabled])).toEqual([
      [true, "active", "enabled"],
      [true, "failed", "disabled"],
      [true, "inactive", "enabled"],
      [true, "inactive", "masked"],
      [false, "inactive", "unknown"],
      [true, "active", "static"],
    ]);
  });

  test("properties keep what stands behind the first =", () => {
    expect(units[0]?.properties.ExecStart).toBe("{ path=/x ; argv[]=/x -a=b }");
  });
});

test("init scripts: the status code says whether a service runs, the runlevels whether it is enabled", () => {
  const units = values(
    { sysv: "0 a\n3 b\n1 c\n", rc: "b\n" },
    ["a", "b", "c", "d"].map((name) => ({ of: "unit" as const, name })),
  );
  expect(units.map(({ exists, active, enabled }) => [exists, active, enabled])).toEqual([
    [true, "active", "disabled"],
    [true, "inactive", "enabled"],
    [true, "failed", "disabled"],
    [false, "inactive", "disabled"],
  ]);
});

describe("packages", () => {
  const ask = (name: string) => ({ of: "package", name, wantCandidate: true }) as const;

  test("dpkg: held, removed with its configuration, of another architecture", () => {
    const dpkg =
      "a\tamd64\t1:2-3\thold ok installed\nb\tamd64\t1\tdeinstall ok config-files\nc\ti386\t5\tinstall ok installed\nd\tamd64\t7\tinstall ok half-installed\n";
    const policy = "a:\n  Installed: 1:2-3\n  Candidate: 1:2-4\n  Version table:\nb:\n  Candidate: (none)\n";
    const packages = values(
      { dpkg, policy },
      ["a", "b", "c", "c:i386", "c:amd64", "d", "e", "a=1:2-4"].map(ask),
    );
    expect(packages).toEqual([
      { installed: true, version: "1:2-3", candidate: "1:2-4", held: true },
      { installed: false },
      { installed: true, version: "5" },
      { installed: true, version: "5" },
      { installed: false },
      { installed: false },
      { installed: false },
      { installed: true, version: "1:2-3", candidate: "1:2-4", held: true },
    ]);
  });

  test("rpm and apk", () => {
    expect(
      values(
        {
          rpm: "bash\tx86_64\t5.1-2.el9\tinstall ok installed\npackage x is not installed\n",
          repoquery: "bash\t0:5.2-1\n",
        },
        ["bash", "x"].map(ask),
      ),
    ).toEqual([{ installed: true, version: "5.1-2.el9", candidate: "5.2-1" }, { installed: false }]);
    expect(values({ apk: "bash\t\t5.2-r0\tinstall ok installed\n" }, ["bash"].map(ask))).toEqual([
      { installed: true, version: "5.2-r0" },
    ]);
  });
});

test("a user that only a directory service knows has its groups from there", () => {
  const sections = {
    accounts: "g:wheel:x:10:bob\n",
    getent: "u:eve:*:7000:7000:Eve:/home/eve:/bin/bash\ni:eve:staff ops\n",
  };
  expect(values({ ...sections }, [{ of: "user", name: "eve" }])).toEqual([
    {
      exists: true,
      uid: 7000,
      gid: 7000,
      gecos: "Eve",
      home: "/home/eve",
      shell: "/bin/bash",
      groups: ["staff", "ops"],
    },
  ]);
});

describe("ls instead of stat", () => {
  test.each([
    ["-rwsr-xr-t", 0o5755],
    ["drwxrwxrwt", 0o1777],
    ["-rwSr-Sr-T", 0o7644],
    ["----------", 0],
  ])("%s", (text, bits) => {
    expect(permissionBits(text)).toBe(bits);
  });

  test("a line that is none of ls is a bad answer", () => {
    expect(() => parseListing(Buffer.from("/x\0rubbish\n\0"))).toThrow(
      expect.objectContaining({ code: "bad-answer" }),
    );
  });
});

test("bytes that are no UTF-8 go through text and back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(encodeHostText(decodeHostText(bytes)).equals(Buffer.from(bytes))).toBe(true);
    }),
  );
});

test("a question asked twice is in the script once", () => {
  const question: Question = { of: "path", path: "/a/very/special/path", want: ["stat"] };
  expect(
    compileQuestions([question, { ...question, want: ["hash"] }, question]).script.split(
      "/a/very/special/path",
    ),
  ).toHaveLength(2);
});

test("a path with a NUL is refused before anything is sent", () => {
  expect(() => compileQuestions([{ of: "path", path: "/a\0b", want: ["stat"] }])).toThrow(
    expect.objectContaining({ code: "bad-argument" }),
  );
});

describe("broken output", () => {
  const questions: Question[] = [
    { of: "path", path: "/etc/hostname", want: ["stat", "hash", "content", "link"] },
    { of: "path", path: "/etc/mtab", want: ["stat", "link"] },
    { of: "package", name: "bash" },
    { of: "unit", name: "ssh" },
    { of: "user", name: "root" },
    { of: "script", sh: "echo a", args: [] },
  ];
  const good = spawnSync("sh", ["-c", compileQuestions(questions).script]);
  const facts = spawnSync("sh", ["-c", gatherFactsScript().script]);

  const survives = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ProvisionError) || error.code !== "bad-answer") throw error;
    }
  };
  const mutated = (bytes: Buffer) =>
    fc
      .array(fc.tuple(fc.nat(bytes.length), fc.nat(40), fc.uint8Array({ maxLength: 8 })), {
        minLength: 1,
        maxLength: 5,
      })
      .map((edits) =>
        edits.reduce(
          (text, [at, cut, insert]) =>
            Buffer.concat([text.subarray(0, at), Buffer.from(insert), text.subarray(at + cut)]),
          bytes,
        ),
      );

  test("answers: a bad-answer or an answer, never a crash", () => {
    expect(readAnswers(good, questions)).toHaveLength(questions.length);
    fc.assert(
      fc.property(mutated(good.stdout), (stdout) =>
        survives(() => readAnswers({ stdout, stderr: good.stderr }, questions)),
      ),
      { numRuns: 500 },
    );
  });

  test("facts: a bad-answer or facts, never a crash", () => {
    fc.assert(
      fc.property(mutated(facts.stdout), (stdout) =>
        survives(() => readGatheredFacts({ stdout, stderr: facts.stderr }, 0)),
      ),
      { numRuns: 300 },
    );
  });

  test("every truncation is a bad-answer", () => {
    fc.assert(
      fc.property(fc.nat(good.stdout.length - 6), (length) => {
        expect(() =>
          readAnswers({ stdout: good.stdout.subarray(0, length), stderr: good.stderr }, questions),
        ).toThrow(expect.objectContaining({ code: "bad-answer" }));
      }),
    );
  });
});
