import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../src/base/errors.ts";
import { readExtraVars, splitWords } from "../../src/cli/extra-vars.ts";
import { describeOptions, parseOptions } from "../../src/cli/parse-options.ts";
import { allRunOptions } from "../../src/cli/run-options.ts";

const parse = (...argv: string[]) => parseOptions(allRunOptions, argv);

describe("options", () => {
  test("letters join, values attach or follow", () => {
    const options = parse("-vvbCf10", "-i", "a.ini", "--limit=web", "site.yml", "-e", "x=1", "-ey=2");
    expect(options.count("verbose")).toBe(2);
    expect(options.has("become") && options.has("check")).toBe(true);
    expect(options.number("forks")).toBe(10);
    expect(options.value("limit")).toBe("web");
    expect(options.all("extra-vars")).toEqual(["x=1", "y=2"]);
    expect(options.rest).toEqual(["site.yml"]);
  });

  test("what stands after -- is left alone", () => {
    expect(parse("web", "--", "ls", "-l").afterDashes).toEqual(["ls", "-l"]);
  });

  test.each([
    [["--chekc"], "--check"],
    [["--tag", "x"], "--tags"],
    [["--become-usr", "x"], "--become-user"],
  ])("%j names the nearest option", (argv, near) => {
    try {
      parse(...argv);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ProvisionError);
      expect((error as ProvisionError).fix).toContain(near);
    }
  });

  test.each([[["-f", "many"]], [["-f"]], [["--check=yes"]]])("%j is refused", (argv) => {
    expect(() => parse(...argv).number("forks", 1)).toThrow(ProvisionError);
  });

  test("a hidden option is not in the help", () => {
    expect(describeOptions(allRunOptions)).not.toContain("no-ask-ahead");
    expect(describeOptions(allRunOptions)).toContain("--extra-vars VARS");
  });
});

describe("extra vars", () => {
  test.each([
    ["a=1 b='x y'", ["a=1", "b=x y"]],
    ['a="1 2" b=\\"', ["a=1 2", 'b="']],
    ["a='' b=", ["a=", "b="]],
  ])("%s", (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  test("name=value is text, JSON keeps its types, the last one wins", () => {
    const vars = readExtraVars(["n=1", '{"n": 2, "list": [1]}'], "/");
    expect(vars.get("n")).toMatchObject({ kind: "template", node: { kind: "scalar", value: 2 } });
    expect(readExtraVars(["n=1"], "/").get("n")).toMatchObject({ node: { value: "1" } });
  });

  test("a word that is no name=value is refused", () => {
    expect(() => readExtraVars(["x"], "/")).toThrow(/no name=value/);
  });
});
