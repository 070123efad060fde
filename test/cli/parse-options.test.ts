import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../src/base/errors.ts";
import { readExtraVars } from "../../src/cli/extra-vars.ts";
import { describeOptions, parseOptions } from "../../src/cli/parse-options.ts";
import { allRunOptions } from "../../src/cli/run-options.ts";
import { toPlain } from "../../src/provisioning/source/to-plain.ts";

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
    [["--tgas", "x"], "--tags"],
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

  test("the beginning of an option is enough, when it can only mean one", () => {
    expect(parse("--tag", "x", "--extra=a=1", "--ask-become").value("tags")).toBe("x");
    expect(parse("--ask-become").has("ask-become-pass")).toBe(true);
    expect(() => parse("--list")).toThrow(/may mean --list-hosts or --list-tasks or --list-tags/);
    expect(parse("--become").has("become-user")).toBe(false);
  });

  test.each([
    [["--module-path", "x"], "provision docs"],
    [["-M", "x"], "provision docs"],
    [["--scp-extra-args=-o x"], "--ssh-common-args"],
  ])("%j of Ansible is refused with what to type instead", (argv, fix) => {
    expect(() => parse(...argv)).toThrow(expect.objectContaining({ fix: expect.stringContaining(fix) }));
  });

  test("every option of ansible-playbook is known", () => {
    const theirs =
      "help verbose private-key key-file user connection timeout ssh-common-args sftp-extra-args scp-extra-args ssh-extra-args ask-pass connection-password-file conn-pass-file force-handlers flush-cache become become-method become-user ask-become-pass become-password-file become-pass-file tags skip-tags check diff inventory inventory-file list-hosts limit extra-vars vault-id ask-vault-password ask-vault-pass vault-password-file vault-pass-file forks module-path syntax-check list-tasks list-tags step start-at-task version";
    const ours = new Set(allRunOptions.flatMap(({ long, aliases = [] }) => [long, ...aliases]));
    expect(theirs.split(" ").filter((name) => !ours.has(name))).toEqual([]);
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
  // What Ansible's own parser of words makes of them.
  test.each([
    ["a=1 b='x y'", { a: "1", b: "x y" }],
    ["a='' b=", { a: "", b: "" }],
    ["a=x=y", { a: "x=y" }],
    ["a={{ b }} c=1", { a: "{{ b }}", c: "1" }],
    ["a='it''s'", { a: "it''s" }],
    ['a="x"y', { a: '"x"y' }],
    ["a=C:\\dir", { a: "C:\\dir" }],
    ["a='x\\ny'", { a: "x\ny" }],
    ["a='{\"x\": 1}'", { a: '{"x": 1}' }],
  ])("%s", (text, values) => {
    const vars = [...readExtraVars([text], "/")];
    const texts = vars.map(([name, variable]) => [
      name,
      variable.kind === "template" ? toPlain(variable.node) : null,
    ]);
    expect(Object.fromEntries(texts)).toEqual(values);
  });

  test("name=value is text, JSON keeps its types, the last one wins", () => {
    const vars = readExtraVars(["n=1", '{"n": 2, "list": [1]}'], "/");
    expect(vars.get("n")).toMatchObject({ kind: "template", node: { kind: "scalar", value: 2 } });
    expect(readExtraVars(["n=1"], "/").get("n")).toMatchObject({ node: { value: "1" } });
  });

  test("a word that is no name=value is refused", () => {
    expect(() => readExtraVars(["x"], "/")).toThrow(expect.objectContaining({ fix: "-e 'x=…'" }));
    expect(() => readExtraVars(["a=[1, 2]"], "/")).toThrow(/"2\]" is no name=value/);
    expect(() => readExtraVars(["a='x"], "/")).toThrow(/a quote that does not end/);
  });
});
