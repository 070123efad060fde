/**
 * From running tasks to haproxy.cfg, and the daemon (haproxy-bridge) that keeps the file in step with Marathon.
 *
 * Marathon's JSON → served-app (what a proxy must know) → haproxy-view (what is served where: pure, checked, with the
 * problems told) → haproxy-template (text) → install-config (checked by haproxy itself, replaced whole, reloaded).
 * daemon.ts decides when. Nothing here talks to Mesos; any Marathon's answer does.
 */
import Handlebars from "handlebars";
import { haproxyTemplate } from "./haproxy-template.ts";
import { type HaproxyOptions, planHaproxy } from "./haproxy-view.ts";
import type { ServedApp } from "./served-app.ts";

export interface RenderedHaproxy {
  readonly text: string;
  readonly problems: readonly string[];
}

/** `template` is Handlebars over HaproxyView; default: the built-in one. Throws if the template is broken. */
export function renderHaproxy(
  apps: readonly ServedApp[],
  options: HaproxyOptions,
  template: string = haproxyTemplate,
): RenderedHaproxy {
  const { view, problems } = planHaproxy(apps, options);
  return { text: compiled(template)(view), problems };
}

let last: { readonly template: string; readonly render: (view: unknown) => string } | undefined;

/** Compiling takes longer than rendering and leaves code behind, and a bridge has one template for all its life. */
function compiled(template: string): (view: unknown) => string {
  if (last?.template !== template) {
    const render = Handlebars.compile(template, { noEscape: true, strict: true, knownHelpersOnly: false });
    last = { template, render };
  }
  return last.render;
}

/** The servers of a rendered configuration, by name. */
export function serversIn(config: string): ReadonlySet<string> {
  return new Set([...config.matchAll(/^ +server (\S+) /gm)].map(([, name]) => name ?? ""));
}

/** The ports that a configuration listens on. */
export function portsIn(config: string): ReadonlySet<number> {
  return new Set([...config.matchAll(/^\s+bind \S*?:(\d+)/gm)].map(([, port]) => Number(port)));
}
