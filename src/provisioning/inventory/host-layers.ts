/** What the inventory and the vars files say of a host or group, weakest first: Ansible's order, files included. */
import { dirname } from "node:path";
import { statPath } from "../../base/stat-path.ts";
import type { DecryptText } from "../source/decrypt.ts";
import type { Variable } from "../vars/variable.ts";
import { groupsOfHost } from "./group-order.ts";
import type { Inventory, InventoryGroup, InventoryHost, VarsFile } from "./inventory.ts";
import { VarsFolder } from "./vars-files.ts";

/** What one place says; the origins of its variables name the place: `group_vars of group web, beside the inventory`. */
export type Variables = ReadonlyMap<string, Variable>;

export interface HostLayersOptions {
  /** Folders of the playbooks: their group_vars/ and host_vars/ win over the inventory's. */
  readonly playbookDirs?: readonly string[];
  readonly decrypt?: DecryptText | undefined;
}

interface Place {
  readonly folder: VarsFolder;
  readonly where: string;
}

/** Reads each file once, however many hosts there are. */
export class HostLayers {
  readonly #inventory: Inventory;
  readonly #inventoryPlaces: readonly Place[];
  readonly #playbookPlaces: readonly Place[];
  readonly #files = new Map<VarsFile, Variables>();

  constructor(inventory: Inventory, { playbookDirs = [], decrypt }: HostLayersOptions = {}) {
    this.#inventory = inventory;
    const own = varsFoldersOf(inventory);
    // What stands beside the inventory alone need not be read again as the playbook's.
    const beside = [...new Set(playbookDirs)].filter((dir) => dir !== own.at(-1));
    const place = (where: string) => (dir: string) => ({ folder: new VarsFolder(dir, decrypt), where });
    this.#inventoryPlaces = own.map(place("beside the inventory"));
    this.#playbookPlaces = beside.map(place("beside the playbook"));
  }

  /** All that a host gets, weakest first. A later layer replaces a variable whole. */
  ofHost(host: InventoryHost): readonly Variables[] {
    const groups = groupsOfHost(this.#inventory, host);
    const all = groups.filter((group) => group.name === "all");
    const others = groups.filter((group) => group.name !== "all");
    return [
      ...groups.map(({ vars }) => vars),
      ...this.#groupFiles(all, this.#inventoryPlaces),
      ...this.#groupFiles(all, this.#playbookPlaces),
      ...this.#groupFiles(others, this.#inventoryPlaces),
      ...this.#groupFiles(others, this.#playbookPlaces),
      host.vars,
      ...this.#hostFiles(host, this.#inventoryPlaces),
      ...this.#hostFiles(host, this.#playbookPlaces),
    ].filter(({ size }) => size > 0);
  }

  /** A host's variables with the winners only. */
  merged(host: InventoryHost): Variables {
    return new Map(this.ofHost(host).flatMap((vars) => [...vars]));
  }

  /** What a group alone brings: its own vars and the group_vars files, the playbooks' only where they are asked for. */
  ofGroup(group: InventoryGroup, withPlaybooks: boolean): readonly Variables[] {
    return [group.vars, ...this.#groupFiles([group], this.#places(withPlaybooks))];
  }

  /** What a host alone brings. */
  ofHostAlone(host: InventoryHost, withPlaybooks: boolean): readonly Variables[] {
    return [host.vars, ...this.#hostFiles(host, this.#places(withPlaybooks))];
  }

  #places(withPlaybooks: boolean): readonly Place[] {
    return withPlaybooks ? [...this.#inventoryPlaces, ...this.#playbookPlaces] : this.#inventoryPlaces;
  }

  #groupFiles(groups: readonly InventoryGroup[], places: readonly Place[]): Variables[] {
    return groups.flatMap(({ name }) =>
      places.flatMap(({ folder, where }) =>
        this.#layers(folder.read("group_vars", name), `group_vars of group ${name}, ${where}`),
      ),
    );
  }

  #hostFiles({ name }: InventoryHost, places: readonly Place[]): Variables[] {
    return places.flatMap(({ folder, where }) =>
      this.#layers(folder.read("host_vars", name), `host_vars of host ${name}, ${where}`),
    );
  }

  #layers(files: readonly VarsFile[], layer: string): Variables[] {
    return files.map((file) => {
      const known = this.#files.get(file);
      const vars = known ?? variablesOf(file, layer);
      this.#files.set(file, vars);
      return vars;
    });
  }
}

function variablesOf(file: VarsFile, layer: string): Variables {
  return new Map(
    [...file.vars].map(([name, node]): [string, Variable] => [
      name,
      { kind: "template", node, origin: { layer, span: node.span } },
    ]),
  );
}

/**
 * The folders that hold an inventory's group_vars/ and host_vars/, the strongest last: the sources themselves, or where
 * they lie.
 */
export function varsFoldersOf(inventory: Inventory): readonly string[] {
  const folders = inventory.sources.flatMap((source) => {
    const found = statPath(source);
    if (found === undefined) return [];
    return [found.isDirectory() ? source : dirname(source)];
  });
  return folders.filter((folder, index) => folders.lastIndexOf(folder) === index);
}
