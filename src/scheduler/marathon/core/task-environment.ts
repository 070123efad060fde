/** The environment that Marathon gives a task. What the user set wins. */
import { type AppDefinition, portsOf } from "../model/app.ts";
import type { Instance } from "../model/instance.ts";

/** Longer label values are left out of the environment, as Marathon does. */
const maxLabelChars = 512;

export function environmentOf(app: AppDefinition, instance: Instance): Readonly<Record<string, string>> {
  return { ...identity(app, instance), ...labels(app), ...ports(app, instance), ...app.env };
}

function identity(app: AppDefinition, instance: Instance): Record<string, string> {
  const image = app.container?.docker?.image;
  return {
    HOST: instance.host,
    MESOS_TASK_ID: instance.id,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    ...(image === undefined ? {} : { MARATHON_APP_DOCKER_IMAGE: image }),
    MARATHON_APP_RESOURCE_CPUS: decimal(app.cpus),
    MARATHON_APP_RESOURCE_MEM: decimal(app.mem),
    MARATHON_APP_RESOURCE_DISK: decimal(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
  };
}

/** "1.0", as Marathon writes it. */
const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

const variableName = (text: string): string => text.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_");

function labels(app: AppDefinition): Record<string, string> {
  const usable = Object.entries(app.labels).filter(
    ([key, value]) => value.length < maxLabelChars && /^[A-Za-z]/.test(key),
  );
  const names = usable.map(([key]) => variableName(key));
  const each = usable.map(([key, value]) => [`MARATHON_APP_LABEL_${variableName(key)}`, value]);
  return { MARATHON_APP_LABELS: names.join(" "), ...Object.fromEntries(each) };
}

/** Host ports, also for a task with a network of its own; its container's where the host has none. */
function ports(app: AppDefinition, instance: Instance): Record<string, string> {
  const found: Record<string, string> = {};
  const numbers = portsOf(app).map(
    ({ containerPort }, index) => instance.hostPorts[index] ?? containerPort ?? 0,
  );
  const [first] = numbers;
  if (first === undefined) return found;
  found.PORT = String(first);
  found.PORTS = numbers.join(",");
  portsOf(app).forEach(({ servicePort, name, containerPort }, index) => {
    const value = String(numbers[index]);
    found[`PORT${index}`] = value;
    const declared = containerPort === undefined || containerPort === 0 ? servicePort : containerPort;
    if (declared !== 0) found[`PORT_${declared}`] = value;
    if (name !== undefined) found[`PORT_${variableName(name)}`] = value;
  });
  return found;
}
