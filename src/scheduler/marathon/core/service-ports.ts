/** Service ports: one number for an app's port in the whole cluster. */
import { invalidObject } from "../model/api-error.ts";
import { type AppId, type AppSpec, portsOf, usesHostNetwork } from "../model/app.ts";
import { violation } from "../model/validate-app.ts";
import type { Settings } from "./state.ts";

/** Puts numbers where the app asks for any; ports that it had before at the same place stay. */
export function assignServicePorts<App extends AppSpec>(
  app: App,
  before: AppSpec | undefined,
  used: ReadonlySet<number>,
  { servicePortMin, servicePortMax }: Settings,
): App {
  const taken = new Set(used);
  for (const { servicePort } of portsOf(app)) taken.add(servicePort);
  const had = before === undefined ? [] : portsOf(before).map(({ servicePort }) => servicePort);
  let next = servicePortMin;
  const choose = (wanted: number, index: number): number => {
    if (wanted !== 0) return wanted;
    const old = had[index];
    if (old !== undefined && old !== 0 && !taken.has(old)) {
      taken.add(old);
      return old;
    }
    while (taken.has(next)) next += 1;
    if (next > servicePortMax) {
      throw invalidObject([
        violation("/", `all service ports between ${servicePortMin} and ${servicePortMax} are in use`),
      ]);
    }
    taken.add(next);
    return next;
  };
  return withServicePorts(app, choose);
}

function withServicePorts<App extends AppSpec>(
  app: App,
  choose: (port: number, index: number) => number,
): App {
  if (usesHostNetwork(app)) {
    const portDefinitions = app.portDefinitions.map((definition, index) => ({
      ...definition,
      port: choose(definition.port, index),
    }));
    return { ...app, portDefinitions };
  }
  const { container } = app;
  if (container?.portMappings === undefined) return app;
  const portMappings = container.portMappings.map((mapping, index) => ({
    ...mapping,
    servicePort: choose(mapping.servicePort, index),
  }));
  return { ...app, container: { ...container, portMappings } };
}

/** Two apps on one service port would be one backend too many for every proxy. */
export function conflictingServicePort(
  app: AppSpec,
  others: ReadonlyMap<AppId, AppSpec>,
): { readonly port: number; readonly id: AppId } | undefined {
  if (app.requirePorts) return undefined;
  const mine = new Set(portsOf(app).map(({ servicePort }) => servicePort));
  for (const other of others.values()) {
    if (other.id === app.id || other.requirePorts) continue;
    const shared = portsOf(other).find(({ servicePort }) => servicePort !== 0 && mine.has(servicePort));
    if (shared !== undefined) return { port: shared.servicePort, id: other.id };
  }
  return undefined;
}
