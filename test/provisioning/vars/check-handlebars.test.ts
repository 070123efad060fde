import { describe, expect, test } from "vitest";
import { checkTemplateFile } from "../../../src/provisioning/vars/names-used.ts";

describe("a .hbs template is checked without variables", () => {
  test.each([
    ["{{name}} {{#each list}}{{this}}{{/each}} {{default a 'x'}} {{json (lookup a 0)}}", []],
    ["{{uper name}}", ['there is no helper "uper"']],
    ["{{#evry list}}x{{/evry}}", ['there is no helper "evry"']],
    ["{{default (nope a) 'x'}}", ['there is no helper "nope"']],
    ["{{#if a}}{{> part}}{{/if}}", ["a template cannot have partials or decorators"]],
    ["{{#if}}x{{/if}}", ["{{#if}} wants a value"]],
    ["line\n{{#if a}}", ["a block is not closed"]],
    ["{{uper a}}\n{{lowr a}}", ['there is no helper "uper"', 'there is no helper "lowr"']],
  ])("%j", (text, states) => {
    const errors = checkTemplateFile("t.hbs", text);
    expect(errors.map(({ message }) => message.replace(/^.*?: /, ""))).toEqual(states);
    for (const { span } of errors) expect(span?.line).toBeGreaterThan(0);
  });
});
