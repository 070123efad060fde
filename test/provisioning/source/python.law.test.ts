import { describe, expect, test } from "vitest";
import { pythonRepr } from "../../../src/cli/python-text.ts";
import type { SourceNode } from "../../../src/provisioning/source/node.ts";
import { parseYaml } from "../../../src/provisioning/source/parse-yaml.ts";
import { pythonValue } from "../../../src/provisioning/source/python-literal.ts";
import { splitShellWords } from "../../../src/provisioning/source/split-shell-words.ts";
import fc from "../../support/property.ts";
import { askPython } from "../../support/python.ts";

const span = { file: "x", line: 1, column: 1 };
const samples = 3000;
const sampleOf = (unit: fc.Arbitrary<string>, maxLength: number): string[] =>
  fc.sample(fc.string({ unit, maxLength }), { numRuns: samples, seed: 7 });

/** What differs on purpose: integers beyond a double stay text; sets are lists; complex numbers and bytes stay text. */
const literalOracle = `
import ast, warnings
warnings.simplefilter("ignore")
def plain(v):
    if isinstance(v, bool) or v is None or isinstance(v, (str, float)): return v
    if isinstance(v, int): return v if abs(v) < 2**53 else "big"
    if isinstance(v, set): return "other"
    if isinstance(v, list): return [plain(i) for i in v]
    if isinstance(v, tuple): return tuple(plain(i) for i in v)
    if isinstance(v, dict): return {plain(k): plain(i) for k, i in v.items()}
    return "other"
result = []
for text in data:
    try: value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, TypeError): value = text
    try: shown = plain(value)
    except TypeError: shown = "other"
    result.append(repr(shown))
`;

describe("Python's own reading", () => {
  test("of literals is ours", () => {
    const texts = sampleOf(fc.constantFrom(..."0123456789.eE-+xXobB_ ,[](){}:'\"\\#nTrueFalsN".split("")), 9);
    const theirs = askPython(literalOracle, texts) as string[];
    const different = texts.flatMap((text, index) => {
      const mine = pythonRepr(pythonValue(text, span));
      const wanted = theirs[index] ?? "";
      return mine === wanted || /other|big/.test(wanted) ? [] : [{ text, mine, wanted }];
    });
    expect(different).toEqual([]);
  });

  test("of shell words is ours, where no # stands inside a word", () => {
    const texts = sampleOf(fc.constantFrom(..."ab='\"\\# \t".split("")), 10);
    const oracle = `
import shlex
result = []
for text in data:
    try: result.append(shlex.split(text, comments=True))
    except ValueError: result.append(None)
`;
    const theirs = askPython(oracle, texts) as (string[] | null)[];
    const different = texts.flatMap((text, index) => {
      const split = splitShellWords(text);
      if ("problem" in split && split.problem === "hash-in-word") return [];
      const mine = "words" in split ? split.words.map((word) => word.text) : null;
      return JSON.stringify(mine) === JSON.stringify(theirs[index])
        ? []
        : [{ text, mine, theirs: theirs[index] }];
    });
    expect(different).toEqual([]);
  });

  test("of plain YAML scalars is ours", () => {
    const texts = sampleOf(fc.constantFrom(..."0123456789.eE-+xob_:~nulyesNOftrainf".split("")), 7);
    const yamls = texts
      .filter((text) => !/^[-?:]|:$|^[.]+$/.test(text) || text === "")
      .map((text) => `k: ${text}`);
    const oracle = `
import yaml
def plain(v):
    if isinstance(v, int) and not isinstance(v, bool) and abs(v) >= 2**53: return "other"
    return v if v is None or isinstance(v, (str, int, float)) else "other"
result = []
for text in data:
    try: result.append(repr(plain(yaml.safe_load(text)["k"])))
    except Exception: result.append("other")
`;
    const theirs = askPython(oracle, yamls) as string[];
    const different = yamls.flatMap((text, index) => {
      const mine = valueUnder(text);
      const wanted = theirs[index] ?? "";
      return mine === wanted || wanted === "'other'" || wanted === "other" ? [] : [{ text, mine, wanted }];
    });
    expect(different).toEqual([]);
  });
});

function valueUnder(yaml: string): string {
  const root: SourceNode = parseYaml(yaml, "x.yml");
  const [entry] = root.kind === "map" ? root.entries : [];
  return entry === undefined ? "nothing" : pythonRepr(entry.value);
}
