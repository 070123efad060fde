import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../../../src/base/error-codes.ts";
import { sampleText } from "../../support/error-samples.ts";

const folder = join(import.meta.dirname, "../../golden/errors");

describe("every error code has a golden text", () => {
  test.each(errorCodes)("%s", async (code) => {
    const text = await sampleText(code);
    expect(text, `test/support/error-samples.ts has no sample of "${code}"`).toBeDefined();
    expect(text).toContain(`error[${code}]`);
    const file = join(folder, `${code}.txt`);
    if (process.env["UPDATE_GOLDEN"] === "1" || !existsSync(file)) {
      if (process.env["UPDATE_GOLDEN"] !== "1")
        throw new Error(`${file} is missing: UPDATE_GOLDEN=1 writes it`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text ?? "");
    }
    expect(text).toBe(readFileSync(file, "utf8"));
  });
});
