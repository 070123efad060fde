import { readdirSync } from "node:fs";
import { basename, dirname, extname, relative } from "node:path";
import { nearest } from "./nearest.ts";
import { statPath } from "./stat-path.ts";

/** What to type when `given` is at none of the places: the name of a file that is there, or where to put one. */
export function fileFix(given: string, places: readonly string[]): string {
  const [first] = places;
  for (const folder of new Set(places.map((place) => dirname(place)))) {
    const names = statPath(folder)?.isDirectory() === true ? readdirSync(folder) : [];
    const name = basename(given);
    const near = nearest(name, names) ?? names.find((each) => each === basename(name, extname(name)));
    if (near !== undefined && near !== name)
      return `write "${given.slice(0, given.length - name.length)}${near}" instead of "${given}"`;
  }
  return first === undefined ? "write its whole path" : `put it at ${shown(first)}, or write its whole path`;
}

const shown = (path: string): string => {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
};
