import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  fingerprint,
  isListed,
  judgeHostKey,
  keyTypeOf,
  listedName,
  parseKnownHosts,
} from "../../../src/provisioning/transport/known-hosts.ts";
import fc from "../../support/property.ts";

const word = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
};
const key = Buffer.concat([word("ssh-ed25519"), word("one")]);
const other = Buffer.concat([word("ssh-ed25519"), word("two")]);
const rsa = Buffer.concat([word("ssh-rsa"), word("three")]);
const line = (hosts: string, of: Buffer, marker = ""): string =>
  `${marker}${hosts} ${keyTypeOf(of)} ${of.toString("base64")} comment`;
const hashed = (name: string): string => {
  const salt = Buffer.from("0123456789abcdefghij");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};

describe("known_hosts", () => {
  test.each([
    { claim: "a listed key is known", text: line("web1", key), is: "known" },
    { claim: "one of several names is enough", text: line("a,web1,10.0.0.1", key), is: "known" },
    { claim: "a pattern lists", text: line("web?", key), is: "known" },
    { claim: "a negated pattern unlists", text: line("web*,!web1", key), is: "unknown" },
    { claim: "a hashed name lists", text: line(hashed("web1"), key), is: "known" },
    { claim: "another name's hash does not", text: line(hashed("web2"), key), is: "unknown" },
    { claim: "another key of the same type has changed", text: line("web1", other), is: "changed" },
    { claim: "a key of another type has changed", text: line("web1", rsa), is: "changed" },
    { claim: "one of two keys is enough", text: `${line("web1", rsa)}\n${line("web1", key)}`, is: "known" },
    {
      claim: "a revoked key never passes",
      text: `${line("web1", key)}\n${line("*", key, "@revoked ")}`,
      is: "revoked",
    },
    { claim: "an authority is left out", text: line("*", other, "@cert-authority "), is: "unknown" },
    { claim: "another port is another name", text: line("[web1]:2222", key), is: "unknown" },
    {
      claim: "comments and rubbish are passed over",
      text: `# web1\nrubbish\n\n@odd web1 x y\n`,
      is: "unknown",
    },
    { claim: "an empty file knows nobody", text: "", is: "unknown" },
  ])("$claim", ({ text, is }) => {
    expect(judgeHostKey(parseKnownHosts(text), "web1", key).is).toBe(is);
  });

  test("a port beside 22 is part of the name", () => {
    expect([listedName("Web1", 22), listedName("web1", 2222)]).toEqual(["web1", "[web1]:2222"]);
    expect(judgeHostKey(parseKnownHosts(line("[web1]:2222", key)), "[web1]:2222", key).is).toBe("known");
  });

  test("the fingerprint is ssh-keygen's", () => {
    expect(fingerprint(key)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  test("no text makes it crash, and none but a listing line knows a host", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const lines = parseKnownHosts(text);
        expect(judgeHostKey(lines, "web1", key).is).not.toBe("known");
        for (const each of lines) isListed(each, "web1");
      }),
    );
  });
});
