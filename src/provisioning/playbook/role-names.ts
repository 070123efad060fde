/** Names of the folders in a folder, for "did you mean". */
import { readdirSync } from "node:fs";
import { isFolder } from "./load-context.ts";

export const listFolders = (folder: string): string[] =>
  isFolder(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];
