/** Which names stand directly below a path, kept up as keys come and go. */
export class KeyIndex {
  /** For each folder: how many keys each of its names leads to. */
  readonly #names = new Map<string, Map<string, number>>();

  add(key: string): void {
    for (const [folder, name] of steps(key)) {
      const names = this.#names.get(folder) ?? new Map<string, number>();
      names.set(name, (names.get(name) ?? 0) + 1);
      this.#names.set(folder, names);
    }
  }

  remove(key: string): void {
    for (const [folder, name] of steps(key)) {
      const names = this.#names.get(folder);
      const left = (names?.get(name) ?? 0) - 1;
      if (left > 0) names?.set(name, left);
      else names?.delete(name);
      if (names?.size === 0) this.#names.delete(folder);
    }
  }

  list(folder: string): readonly string[] {
    return [...(this.#names.get(folder)?.keys() ?? [])].sort();
  }
}

function* steps(key: string): Generator<readonly [folder: string, name: string]> {
  const parts = key.split("/").slice(1);
  for (const [index, name] of parts.entries()) yield [`/${parts.slice(0, index).join("/")}`, name];
}
