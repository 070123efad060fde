/** INI inventories, most of them nearly right: lines as people write them, in any order, with characters sown in. */
import fc from "./property.ts";

const names = fc.constantFrom(
  "a",
  "b",
  "web",
  "db-1",
  "h[1:3]",
  "h[01:03:2]-[x:z]",
  "x.example.com",
  "10.0.0.1",
  "é",
  "fe80::1",
);
const groups = fc.constantFrom("g", "h1", "web", "p", "all", "ungrouped");
const values = fc.constantFrom(
  ..."1|01|1.0|1e3|0x1F|1_000|True|true|None|[1, 2]|{'a': 1}|(1,)|'q'|\"d q\"|it's|a\\\\b|a=b|x # c|x#y|#|;|{{ v }}|-5|1,2||\"a\" 'b'|[1|.5|0777|é".split(
    "|",
  ),
);
const keys = fc.constantFrom("k", "ansible_port", "ansible_host", "a b", "", "ansible_group_priority", "x.y");
const hostLine = fc
  .tuple(names, fc.constantFrom("", "", "", ":22", ":x"), fc.array(fc.tuple(keys, values), { maxLength: 3 }))
  .map(([name, port, vars]) => [name + port, ...vars.map(([key, value]) => `${key}=${value}`)].join(" "));
const line = fc.oneof(
  { weight: 5, arbitrary: hostLine },
  { weight: 2, arbitrary: groups.map((group) => `[${group}]`) },
  { weight: 1, arbitrary: groups.map((group) => `[${group}:vars]`) },
  { weight: 1, arbitrary: groups.map((group) => `[${group}:children]`) },
  { weight: 2, arbitrary: groups },
  { weight: 2, arbitrary: fc.tuple(keys, values).map(([key, value]) => `${key} = ${value}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "# c",
      "; c",
      "  a x=1",
      "[g] # c",
      "[g:hosts]",
      "[g:x]",
      "[",
      "\ta",
      "a\r",
    ),
  },
);

/** Whole lines. */
export const iniLines = fc.array(line, { maxLength: 8 }).map((lines) => lines.join("\n"));

const noise = fc.string({
  unit: fc.constantFrom(
    ..."[]:=#;'\"\\ab1,-{}\n \t\r%é\u0000".split(""),
    "[g]",
    ":children]",
    ":vars]",
    "\n[",
    "[1:3]",
  ),
  maxLength: 60,
});
const sown = fc
  .tuple(
    iniLines,
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.string({ unit: fc.constantFrom(..."[]:=#'\"\\ \n"), maxLength: 3 }),
  )
  .map(([text, where, more]) => {
    const at = Math.floor(where * text.length);
    return text.slice(0, at) + more + text.slice(at);
  });

export const iniText = fc.oneof(iniLines, sown, noise);
