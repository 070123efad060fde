import { expect, test } from "vitest";
import { gatherFactsScript, readGatheredFacts } from "../../../src/provisioning/host/gather-facts.ts";
import { knownFacts } from "../../../src/provisioning/vars/fact-hint.ts";
import { runScript } from "../host/shells.ts";

test("every fact that hints know is gathered", () => {
  const facts = readGatheredFacts(runScript(["dash"], gatherFactsScript()), 0);
  expect(knownFacts.filter((name) => !(name in facts))).toEqual([]);
});
