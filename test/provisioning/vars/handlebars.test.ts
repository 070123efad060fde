import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { renderTemplateFile } from "../../../src/provisioning/vars/render.ts";
import { contextOf } from "./contexts.ts";

const context = contextOf({
  data: {
    port: 80,
    html: "<a&b=c>",
    yes: true,
    none: null,
    empty: [],
    hosts: [
      { id: 1, name: "a" },
      { id: 2, name: "b", role: "x" },
    ],
    settings: { tick: 2000, path: "/var" },
  },
  templates: { address: "http://h:{{ port }}", broken: "{{ nope }}" },
});
const run = (text: string): string => renderTemplateFile({ text, file: "t.hbs", language: "hbs" }, context);
function refusal(text: string): ProvisionError {
  try {
    run(text);
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a Handlebars template", () => {
  test.each<[string, string]>([
    ["{{port}} {{html}} {{yes}} [{{none}}]", "80 <a&b=c> true []"],
    ["{{address}}", "http://h:80"],
    ["{{#if yes}}{{port}}{{else}}{{broken}}{{/if}}", "80"],
    ["{{#each hosts}}\nserver.{{id}}={{name}}:{{../port}}\n{{/each}}\n", "server.1=a:80\nserver.2=b:80\n"],
    ["{{#each hosts as |h i|}}{{i}}{{h.name}}{{#unless @last}},{{/unless}}{{/each}}", "0a,1b"],
    ["{{#each settings}}{{@key}}={{this}};{{/each}}", "tick=2000;path=/var;"],
    ["{{#each empty}}x{{else}}none{{/each}}", "none"],
    ["{{#each hosts}}{{#if role}}{{role}}{{else}}-{{/if}}{{/each}}", "-x"],
    ["{{#with settings}}{{tick}}{{@root.port}}{{/with}}", "200080"],
    ["{{hosts.1.name}}{{lookup settings 'path'}}", "b/var"],
    ["{{default nowhere 'x'}}{{default settings.nowhere 'y'}}{{#if (defined nowhere)}}z{{/if}}", "xy"],
    ["{{json hosts.[0]}} {{length hosts}} {{add port 1}} {{upper 'a'}}", '{"id": 1, "name": "a"} 2 81 A'],
    ["{{#if (and yes (eq port 80))}}one{{else if no}}two{{/if}}", "one"],
    ["a\n  {{~#if yes~}}  b  {{~/if~}}\nc", "abc"],
    ["{{!-- note --}}x{{! y }}", "x"],
    ["\\{{port}}", "{{port}}"],
  ])("%j gives %j", (text, wanted) => {
    expect(run(text)).toBe(wanted);
  });

  test.each<[string, string, number, number]>([
    ["x\n {{prt}}", '"prt" is undefined', 2, 4],
    ["{{settings.tik}}", 'there is no key "tik" among "tick", "path"', 1, 3],
    ["{{#each hosts}}{{role}}{{/each}}", 'there is no key "role" among "id", "name"', 1, 18],
    ["{{#each nowhere}}{{/each}}", '"nowhere" is undefined', 1, 9],
    ["{{broken}}", '"nope" is undefined', 1, 1],
    ["{{settings}}", "a dict is no text: use {{json …}} or a member of it", 1, 3],
    ["{{frob port}}", 'there is no helper "frob"', 1, 3],
    ["{{> part}}", "a template cannot have partials or decorators", 1, 1],
    ["{{constructor}}", '"constructor" is undefined', 1, 3],
    ["{{settings.__proto__}}", 'there is no key "__proto__" among "tick", "path"', 1, 3],
    ["{{hosts.constructor}}", 'a list has no member "constructor"', 1, 3],
    ["{{#each port}}{{/each}}", "{{#each}} wants a list or a mapping, and an int was given", 1, 1],
  ])("%j is refused: %s", (text, state, line, column) => {
    const error = refusal(text);
    expect([error.state, error.span?.line, error.span?.column]).toEqual([state, line, column]);
  });

  test("that does not end is refused", () => {
    expect(refusal("{{#each hosts}}\n{{id}}\n").state).toBe("a block is not closed");
    const error = refusal("a\n{{join hosts.0 1}}");
    expect([error.span?.line, error.span?.column]).toEqual([2, 14]);
  });
});
