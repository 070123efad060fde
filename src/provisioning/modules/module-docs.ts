/** What the docs say of modules, as data and as Markdown: made from the modules, so that it is never stale. */
import { type ArgumentInfo, argumentsOf } from "./arguments.ts";
import { loadModule, moduleNames } from "./index.ts";
import type { AnyModule } from "./module.ts";

export interface ModuleDocs {
  readonly name: string;
  readonly summary: string;
  /** By name, the required ones first; undefined: any name goes. */
  readonly args: ReadonlyMap<string, ArgumentInfo> | undefined;
  readonly freeForm: string | undefined;
  readonly example: string;
  /** How it behaves where modules differ: acts each time, only looks, acts on the controller. */
  readonly notes: readonly string[];
}

export async function moduleDocs(name: string): Promise<ModuleDocs> {
  const module = await loadModule(name);
  const { summary, freeForm, example } = module;
  return { name, summary, args: sorted(argumentsOf(module.args)), freeForm, example, notes: notesOf(module) };
}

export const allModuleDocs = (): Promise<readonly ModuleDocs[]> => Promise.all(moduleNames.map(moduleDocs));

function sorted(
  args: ReadonlyMap<string, ArgumentInfo> | undefined,
): ReadonlyMap<string, ArgumentInfo> | undefined {
  if (args === undefined) return undefined;
  const entries = [...args];
  const required = entries.filter(([, info]) => info.required);
  return new Map([...required, ...entries.filter(([, info]) => !info.required)]);
}

function notesOf(module: AnyModule): string[] {
  const freeForm = module.freeForm === undefined ? [] : [`Free-form text is \`${module.freeForm}\`.`];
  if (module.kind === "controller") return [...freeForm, "Acts on the controller; the host is not asked."];
  return [
    ...freeForm,
    ...(module.alwaysActs === true ? ["Acts each time it runs, so it is not run in check mode."] : []),
    ...(module.readOnly === true ? ["Changes nothing, so it runs in check mode too."] : []),
  ];
}

export const shownDefault = ({ default: value }: ArgumentInfo): string => {
  if (value === undefined) return "";
  return typeof value === "string" ? value.replaceAll("\n", "\\n") : JSON.stringify(value);
};

export const shownKind = ({ kind, choices }: ArgumentInfo): string =>
  choices === undefined ? kind : choices.map((choice) => JSON.stringify(choice).slice(1, -1)).join(", ");

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function argumentRow([name, info]: readonly [string, ArgumentInfo]): string {
  const aliases = info.aliases.filter((alias) => alias !== "_raw_params");
  const also = aliases.length === 0 ? "" : ` Also: ${aliases.map((alias) => `\`${alias}\``).join(", ")}.`;
  const value = shownDefault(info);
  const standard = info.required ? "required" : value === "" ? "" : `\`${value}\``;
  return `| \`${name}\` | ${cell(shownKind(info))} | ${cell(standard)} | ${cell(info.about)}${also} |\n`;
}

function markdownOf(docs: ModuleDocs): string {
  const notes = docs.notes.length === 0 ? "" : `\n${docs.notes.join(" ")}\n`;
  const table =
    docs.args === undefined
      ? "\nTakes arguments of any name.\n"
      : docs.args.size === 0
        ? "\nTakes no arguments.\n"
        : `\n| argument | kind | default | |\n| --- | --- | --- | --- |\n${[...docs.args].map(argumentRow).join("")}`;
  return `\n## ${docs.name}\n\n${docs.summary}\n${notes}${table}\n\`\`\`yaml\n${docs.example}\`\`\`\n`;
}

/** The whole of docs/modules.md. */
export async function modulesMarkdown(): Promise<string> {
  const all = await allModuleDocs();
  const index = all.map(({ name, summary }) => `- [${name}](#${name}): ${summary}\n`).join("");
  const head = `# Modules

Made from the modules themselves by \`provision docs --markdown\`; a test fails when this page is stale.

A task names one module, by its short name or as \`ansible.builtin.NAME\` (\`ansible.posix\` for authorized_key, mount and
sysctl, \`community.general\` for timezone and ufw). Unknown arguments are errors. Where a flag is wanted, \`yes\`, \`no\`,
\`on\`, \`off\`, \`true\` and \`false\` count; a list may be text with commas; a mode is best written in quotes: \`"0644"\`.

`;
  return head + index + all.map(markdownOf).join("");
}
