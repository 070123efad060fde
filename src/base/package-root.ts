/** The folder of the package, with roles/, site.yml and inventory/: the same for a clone (src/) and a bundle (dist/). */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

export const packageRoot: string = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(join(folder, "site.yml")) && existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder)
    throw new Error("the package's folder is gone: site.yml and package.json are not there");
  return findRoot(parent);
}
