import { describe, expect, test } from "vitest";
import type { ProvisionError } from "../../../src/base/errors.ts";
import type { JsonValue } from "../../../src/base/json.ts";
import { checkMasters } from "../../../src/cluster/operations/check-masters.ts";

type Vars = Record<string, Record<string, JsonValue>>;

const errorsOf = (vars: Vars): ProvisionError[] =>
  checkMasters({
    masters: Object.keys(vars),
    variable: (host, name) => {
      const value = vars[host]?.[name];
      return value === undefined ? undefined : { value };
    },
    placeOf: () => undefined,
  });

const statesOf = (vars: Vars): string[] => errorsOf(vars).map(({ code, state }) => `${code}: ${state}`);

describe("masters before any host is touched", () => {
  test("distinct integers on an odd number of masters are fine, also as text", () => {
    expect(statesOf({ a: { zoo_id: 1 }, b: { zoo_id: "2" }, c: { zoo_id: 3 } })).toEqual([]);
  });

  test.each<[string, JsonValue | undefined, string]>([
    ["missing", undefined, 'host "c" has no zoo_id'],
    ["repeated", 1, 'hosts "a" and "c" both have zoo_id 1'],
    ["no integer", "one", 'host "c" has zoo_id "one"'],
    ["a fraction", 1.5, 'host "c" has zoo_id 1.5'],
    ["too large", 256, 'host "c" has zoo_id 256'],
    ["zero", 0, 'host "c" has zoo_id 0'],
  ])("a zoo_id that is %s is refused", (_, value, state) => {
    const c: Record<string, JsonValue> = value === undefined ? {} : { zoo_id: value };
    expect(statesOf({ a: { zoo_id: 1 }, b: { zoo_id: 2 }, c })).toEqual([`bad-zoo-id: ${state}`]);
  });

  test("who does what all the errors say has distinct ids", () => {
    const fixes = errorsOf({ a: {}, b: { zoo_id: 1 }, c: { zoo_id: "x" } }).map(({ fix }) => fix);
    expect(fixes).toEqual([
      'write "a zoo_id=2" under [mesos_masters]',
      'write "c zoo_id=3" under [mesos_masters]',
    ]);
  });

  test("an even number of masters is refused unless a variable allows it", () => {
    expect(statesOf({ a: { zoo_id: 1 }, b: { zoo_id: 2 } })).toEqual([
      'even-masters: group "mesos_masters" has 2 hosts',
    ]);
    expect(statesOf({ a: { zoo_id: 1, allow_even_masters: true }, b: { zoo_id: 2 } })).toEqual([]);
  });
});
