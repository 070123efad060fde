import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonValue } from "../../src/base/json.ts";
import type { HaproxyOptions } from "../../src/scheduler/discovery/haproxy-view.ts";
import { type RenderedHaproxy, renderHaproxy } from "../../src/scheduler/discovery/render-haproxy.ts";
import { readServedApps } from "../../src/scheduler/discovery/served-app.ts";

interface HaproxyCase {
  readonly name: string;
  readonly says: string;
  readonly options: Omit<HaproxyOptions, "servedBefore" | "isBusy"> & {
    readonly servedBefore?: readonly string[];
    readonly busy?: readonly number[];
  };
  readonly answer: JsonValue;
}

const folder = join(import.meta.dirname, "../cases/discovery");

export const haproxyCases: readonly HaproxyCase[] = readdirSync(folder).map((file) => ({
  ...(JSON.parse(readFileSync(join(folder, file), "utf8")) as Omit<HaproxyCase, "name">),
  name: file.replace(/\.json$/, ""),
}));

export function renderCase({ options, answer }: HaproxyCase, more: HaproxyOptions = {}): RenderedHaproxy {
  const apps = readServedApps(answer);
  if (apps === undefined) throw new Error("The case holds no answer of Marathon");
  return renderHaproxy(apps, {
    ...options,
    ...more,
    servedBefore: new Set(options.servedBefore),
    isBusy: (port) => options.busy?.includes(port) === true,
  });
}
