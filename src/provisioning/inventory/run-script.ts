import { execFile } from "node:child_process";
import type { Span } from "../../base/errors.ts";
import { isJsonObject, type JsonObject } from "../../base/json.ts";
import { fromJson, parseJsonText, WrittenFloat } from "../source/from-json.ts";
import type { SourceNode } from "../source/node.ts";
import { keyText } from "../source/to-plain.ts";
import type { InventoryBuilder } from "./inventory-builder.ts";
import { inventoryError } from "./inventory-errors.ts";
import { limits } from "./limits.ts";

/** Runs an executable inventory with --list (and --host where it has no _meta) and tells the builder what it prints. */
export async function runInventoryScript(file: string, builder: InventoryBuilder): Promise<void> {
  const script = new ScriptInventory(file, builder);
  await script.read();
}

class ScriptInventory {
  readonly #file: string;
  readonly #builder: InventoryBuilder;
  readonly #span: Span;
  readonly #hosts = new Set<string>();

  constructor(file: string, builder: InventoryBuilder) {
    this.#file = file;
    this.#builder = builder;
    this.#span = { file, line: 1, column: 1 };
  }

  async read(): Promise<void> {
    const listed = await this.#run(["--list"]);
    for (const [name, group] of Object.entries(listed)) if (name !== "_meta") this.#group(name, group);
    const meta = listed["_meta"];
    const hostvars = isJsonObject(meta) ? meta["hostvars"] : undefined;
    for (const host of this.#hosts) {
      const vars = isJsonObject(hostvars) ? (hostvars[host] ?? {}) : await this.#run(["--host", host]);
      if (!isJsonObject(vars)) throw this.#error(`the variables of host "${host}" are no object`);
      for (const [name, value] of Object.entries(vars))
        this.#builder.setHostVar(host, name, this.#node(value));
    }
  }

  #group(name: string, given: unknown): void {
    this.#builder.addGroup(name);
    const group = this.#groupObject(name, given);
    const { hosts = [], vars = {}, children = [] } = group;
    if (!isStrings(hosts)) throw this.#error(`the hosts of group "${name}" are no list of names`);
    if (!isStrings(children)) throw this.#error(`the children of group "${name}" are no list of names`);
    if (!isJsonObject(vars)) throw this.#error(`the vars of group "${name}" are no object`);
    for (const host of hosts) this.#hosts.add(host);
    this.#builder.addHosts({ names: hosts, group: name, file: this.#file });
    for (const entry of this.#entries(vars)) this.#builder.setGroupVar(name, keyText(entry.key), entry.value);
    for (const child of children) {
      this.#builder.addGroup(child);
      this.#builder.addChild(name, child, this.#span);
    }
  }

  /** A list is the group's hosts; an object without hosts, vars and children is one host's variables. */
  #groupObject(name: string, given: unknown): JsonObject {
    if (!isJsonObject(given)) return { hosts: given as JsonObject };
    const isGroup = ["hosts", "vars", "children"].some((key) => key in given);
    return isGroup ? given : { hosts: [name], vars: given };
  }

  #entries(vars: JsonObject) {
    const node = this.#node(vars);
    return node.kind === "map" ? node.entries : [];
  }

  #node(value: unknown): SourceNode {
    return fromJson(value, this.#span);
  }

  async #run(args: readonly string[]): Promise<JsonObject> {
    const { code, stdout, stderr, failure } = await execute(this.#file, args);
    const said = stderr.trim().split("\n").slice(-20).join("\n");
    if (failure !== undefined) throw this.#error(`it did not run: ${failure}`);
    if (code !== 0)
      throw this.#error(`"${args.join(" ")}" ended with ${code}${said === "" ? "" : `: ${said}`}`);
    if (args[0] === "--host" && stdout.trim() === "") return {};
    try {
      const parsed = parseJsonText(stdout);
      if (isJsonObject(parsed) && !(parsed instanceof WrittenFloat)) return parsed;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw this.#error(`"${args.join(" ")}" printed no JSON object`);
  }

  #error(state: string): Error {
    return inventoryError(this.#file, this.#span, state, {
      why: "an executable file is run with --list and prints JSON: groups with hosts, vars and children, and _meta.hostvars",
      fix: `see what it says: ${this.#file} --list`,
    });
  }
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

interface Execution {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly failure?: string;
}

function execute(file: string, args: readonly string[]): Promise<Execution> {
  const options = {
    timeout: limits.scriptTimeoutMs,
    maxBuffer: limits.scriptOutputBytes,
    encoding: "utf8",
  } as const;
  return new Promise((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr });
      if (error.killed === true) {
        return resolve({
          code: -1,
          stdout,
          stderr,
          failure: `no end after ${limits.scriptTimeoutMs / 1000} s`,
        });
      }
      if (typeof error.code === "number") return resolve({ code: error.code, stdout, stderr });
      resolve({ code: -1, stdout, stderr, failure: error.message });
    });
  });
}
