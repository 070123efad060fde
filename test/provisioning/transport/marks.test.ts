import { describe, expect, test } from "vitest";
import { printfFormat } from "../../../src/provisioning/host/printf-format.ts";
import { MarkReader } from "../../../src/provisioning/transport/mark-reader.ts";
import fc from "../../support/property.ts";

const nonce = "0123456789abcdef0123456789abcdef";

function readAll(bytes: Buffer, cuts: readonly number[]) {
  const seen: (string | readonly string[])[] = [];
  let data = Buffer.alloc(0);
  const reader = new MarkReader(nonce, {
    data: (chunk) => {
      data = Buffer.concat([data, chunk]);
    },
    mark: (words) => {
      seen.push(data.toString("latin1"), words);
      data = Buffer.alloc(0);
    },
  });
  let from = 0;
  for (const cut of [...cuts, bytes.length].map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b)) {
    if (cut > from) reader.feed(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  return seen;
}

describe("marks", () => {
  test("data and marks are the same however the stream is cut", () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom("\n", `\n${nonce}`, `\n${nonce.slice(0, 9)}`, `${nonce} end`, "\n\n")
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(
        fc.array(body, { maxLength: 8 }),
        fc.array(fc.nat(600), { maxLength: 12 }),
        (bodies, cuts) => {
          const text = Buffer.concat(
            bodies.flatMap((each, i) => [each, Buffer.from(`\n${nonce} end ${i} 0\n`)]),
          );
          const expected = bodies.flatMap((each, i) => [each.toString("latin1"), ["end", String(i), "0"]]);
          expect(readAll(text, cuts)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a printf format holds no NUL and no quote that could end it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const format = printfFormat(bytes).toString("latin1");
        expect(format).not.toContain("\0");
        expect(format.replaceAll("'\\''", "").slice(1, -1)).not.toContain("'");
      }),
    );
  });
});
