import type { WatchEventType } from "./protocol.ts";

export interface WatchEvent {
  /** "lost": the session has ended and the watch with it. */
  readonly type: WatchEventType | "lost";
  readonly path: string;
}

/** Called once, as ZooKeeper's watches are. */
export type Watcher = (event: WatchEvent) => void;
export type WatchKind = "data" | "exists" | "children";

const concerned: Readonly<Record<WatchEventType, readonly WatchKind[]>> = {
  created: ["data", "exists"],
  changed: ["data", "exists"],
  deleted: ["data", "exists", "children"],
  children: ["children"],
};

/** Which watches the session holds: who is told of what, and what must be asked for again after a reconnect. */
export class WatchRegistry {
  readonly #watchers: Readonly<Record<WatchKind, Map<string, Set<Watcher>>>> = {
    data: new Map(),
    exists: new Map(),
    children: new Map(),
  };

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const byPath = this.#watchers[kind];
    byPath.set(path, (byPath.get(path) ?? new Set()).add(watcher));
  }

  /** Those whom an event concerns; they are forgotten with it. */
  take(type: WatchEventType, path: string): readonly Watcher[] {
    const found = new Set<Watcher>();
    for (const kind of concerned[type]) {
      for (const watcher of this.#watchers[kind].get(path) ?? []) found.add(watcher);
      this.#watchers[kind].delete(path);
    }
    return [...found];
  }

  /** Everybody, with the path watched. */
  takeAll(): readonly (readonly [Watcher, string])[] {
    const found = new Map<Watcher, string>();
    for (const byPath of Object.values(this.#watchers)) {
      for (const [path, watchers] of byPath) {
        for (const watcher of watchers) found.set(watcher, path);
      }
      byPath.clear();
    }
    return [...found];
  }

  paths(kind: WatchKind): readonly string[] {
    return [...this.#watchers[kind].keys()];
  }
}
