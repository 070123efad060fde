import { expect, test } from "vitest";
import { loadModule, moduleNames } from "../../../src/provisioning/modules/index.ts";
import { engineLaws } from "./engine-laws.ts";
import { lawCases } from "./law-case.ts";

/** Modules that no host here can be asked to obey. */
const exempt: Readonly<Record<string, string>> = {
  dnf: "Debian's dnf has no repositories to install from; its case files stand for it",
};

const sets = ["law", "container", "more-packages", "systemd-host"];

/** Modules with a case in which something was done, or was right already. */
const obeyed = new Set([
  ...sets.flatMap((set) =>
    [...lawCases(set)]
      .filter(([, cases]) => cases.some(({ fails }) => fails === undefined))
      .map(([name]) => name),
  ),
  ...engineLaws.map(({ module }) => module),
]);

test("every module of hosts obeys the law on a real sh, but for the exempt", async () => {
  const modules = await Promise.all(moduleNames.map(loadModule));
  const ofHosts = modules.filter(({ kind }) => kind === "host").map(({ name }) => name);
  expect(ofHosts.filter((name) => !obeyed.has(name))).toEqual(Object.keys(exempt));
});

test("no case is of a module that there is not", () => {
  expect([...obeyed].filter((name) => !(moduleNames as readonly string[]).includes(name))).toEqual([]);
});
