/** `provision docs [MODULE]`: what modules there are, and what one takes, from the modules themselves. */
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { ModuleDocs } from "../provisioning/modules/module-docs.ts";
import type { CliIo } from "./io.ts";
import { exitCodes } from "./io.ts";
import { type OptionSpec, parseOptions } from "./parse-options.ts";

const options: readonly OptionSpec[] = [
  { long: "markdown", help: "print docs/modules.md" },
  { long: "help", short: "h", help: "show this" },
];
const usage = `provision docs [MODULE…]

Lists the modules, or shows what the named ones take.

  --markdown   print docs/modules.md
  -h, --help   show this
`;

export async function docsCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseOptions(options, argv);
  if (parsed.has("help")) {
    io.stdout(usage);
    return exitCodes.fine;
  }
  const docs = await import("../provisioning/modules/module-docs.ts");
  if (parsed.has("markdown")) {
    io.stdout(await docs.modulesMarkdown());
    return exitCodes.fine;
  }
  const { resolveModule, moduleNames } = await import("../provisioning/modules/index.ts");
  if (parsed.rest.length === 0) {
    io.stdout(listing(await docs.allModuleDocs(), io.columns));
    return exitCodes.fine;
  }
  const names = parsed.rest.map((given) => resolveModule(given) ?? unknownModule(given, moduleNames));
  const pages = await Promise.all(names.map(docs.moduleDocs));
  io.stdout(pages.map((page) => pageOf(page, io.columns, docs)).join("\n"));
  return exitCodes.fine;
}

function unknownModule(given: string, names: readonly string[]): never {
  const near = nearest(given.slice(given.lastIndexOf(".") + 1), names);
  throw new ProvisionError({
    code: "unknown-module",
    action: "show a module",
    state: `there is no module "${given}"`,
    why: "`provision docs` lists the modules",
    fix: near === undefined ? undefined : `provision docs ${near}`,
  });
}

function listing(all: readonly ModuleDocs[], columns: number): string {
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  return all
    .map(({ name, summary }) => `${name.padEnd(width)}${wrapped(summary, columns, width)}\n`)
    .join("");
}

type DocsModule = typeof import("../provisioning/modules/module-docs.ts");

function pageOf(page: ModuleDocs, columns: number, docs: DocsModule): string {
  const lines = [page.name.toUpperCase(), `    ${wrapped(page.summary, columns, 4)}`];
  for (const note of page.notes) lines.push(`    ${wrapped(note.replaceAll("`", ""), columns, 4)}`);
  lines.push("", "ARGUMENTS");
  if (page.args === undefined) lines.push("    Any name goes.");
  if (page.args?.size === 0) lines.push("    None.");
  for (const [name, info] of page.args ?? []) {
    const value = docs.shownDefault(info);
    const standard = info.required ? "required" : value === "" ? "" : `default ${value}`;
    const aliases = info.aliases.filter((alias) => alias !== "_raw_params");
    const facts = [docs.shownKind(info), standard, aliases.length === 0 ? "" : `also ${aliases.join(", ")}`];
    lines.push(
      `  ${name}: ${wrapped(facts.filter((fact) => fact !== "").join("; "), columns, name.length + 4)}`,
    );
    lines.push(`      ${wrapped(info.about, columns, 6)}`);
  }
  lines.push(
    "",
    "EXAMPLE",
    ...page.example
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
  );
  return `${lines.join("\n")}\n`;
}

/** Breaks at blanks; lines after the first start at column `indent`. */
function wrapped(text: string, columns: number, indent: number): string {
  const room = Math.max(20, columns - indent - 1);
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}
