/** What a framework asks to run, and what it is told of it. On the wire a task is `TaskInfo`; in code a MesosTask. */
import { z } from "zod";
import { resourceSchema } from "./resource.ts";
import { durationSchema, idSchema, integerSchema, labelsSchema } from "./wire.ts";

export const environmentSchema = z.object({
  variables: z
    .array(z.object({ name: z.string(), type: z.string().optional(), value: z.string().optional() }))
    .default([]),
});

const uriSchema = z.object({
  value: z.string(),
  executable: z.boolean().optional(),
  extract: z.boolean().optional(),
  cache: z.boolean().optional(),
  output_file: z.string().optional(),
});
export type CommandUri = z.infer<typeof uriSchema>;

const commandSchema = z.object({
  uris: z.array(uriSchema).optional(),
  environment: environmentSchema.optional(),
  shell: z.boolean().optional(),
  value: z.string().optional(),
  arguments: z.array(z.string()).optional(),
  user: z.string().optional(),
});
export type CommandInfo = z.infer<typeof commandSchema>;

const portMappingSchema = z.object({
  host_port: integerSchema,
  container_port: integerSchema,
  protocol: z.string().optional(),
});

const networkInfoSchema = z.object({
  ip_addresses: z
    .array(z.object({ protocol: z.string().optional(), ip_address: z.string().optional() }))
    .optional(),
  name: z.string().optional(),
  groups: z.array(z.string()).optional(),
  labels: labelsSchema.optional(),
  port_mappings: z.array(portMappingSchema).optional(),
});

const volumeSchema = z.object({
  mode: z.enum(["RW", "RO"]).optional(),
  container_path: z.string(),
  host_path: z.string().optional(),
  source: z.record(z.string(), z.unknown()).optional(),
});

const dockerInfoSchema = z.object({
  image: z.string().min(1),
  network: z.enum(["HOST", "BRIDGE", "NONE", "USER"]).optional(),
  port_mappings: z.array(portMappingSchema).optional(),
  privileged: z.boolean().optional(),
  parameters: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
  force_pull_image: z.boolean().optional(),
  volume_driver: z.string().optional(),
});
export type DockerInfo = z.infer<typeof dockerInfoSchema>;

const containerSchema = z.object({
  type: z.enum(["DOCKER", "MESOS"]),
  volumes: z.array(volumeSchema).optional(),
  hostname: z.string().optional(),
  network_infos: z.array(networkInfoSchema).optional(),
  docker: dockerInfoSchema.optional(),
  mesos: z.record(z.string(), z.unknown()).optional(),
  linux_info: z.record(z.string(), z.unknown()).optional(),
  rlimit_info: z.record(z.string(), z.unknown()).optional(),
  tty_info: z.record(z.string(), z.unknown()).optional(),
});
export type ContainerInfo = z.infer<typeof containerSchema>;

export const killPolicySchema = z.object({ grace_period: durationSchema.optional() });
export type KillPolicy = z.infer<typeof killPolicySchema>;

/** A health check that the agent runs: COMMAND in the sandbox, HTTP and TCP against the task's ports. */
const healthCheckSchema = z.object({
  type: z.enum(["UNKNOWN", "COMMAND", "HTTP", "TCP"]).optional(),
  command: commandSchema.optional(),
  http: z
    .object({
      scheme: z.string().optional(),
      port: integerSchema,
      path: z.string().optional(),
      statuses: z.array(z.int()).optional(),
      protocol: z.string().optional(),
    })
    .optional(),
  tcp: z.object({ port: integerSchema, protocol: z.string().optional() }).optional(),
  delay_seconds: z.number().optional(),
  interval_seconds: z.number().optional(),
  timeout_seconds: z.number().optional(),
  consecutive_failures: z.int().optional(),
  grace_period_seconds: z.number().optional(),
});
export type HealthCheck = z.infer<typeof healthCheckSchema>;

const discoverySchema = z.object({
  visibility: z.string(),
  name: z.string().optional(),
  environment: z.string().optional(),
  location: z.string().optional(),
  version: z.string().optional(),
  ports: z
    .object({
      ports: z
        .array(
          z.object({
            number: integerSchema,
            name: z.string().optional(),
            protocol: z.string().optional(),
            visibility: z.string().optional(),
            labels: labelsSchema.optional(),
          }),
        )
        .default([]),
    })
    .optional(),
  labels: labelsSchema.optional(),
});
export type DiscoveryInfo = z.infer<typeof discoverySchema>;

/** A custom executor. The built-in agent runs command tasks itself; the schema is there to refuse clearly. */
export const executorSchema = z.object({
  executor_id: idSchema,
  type: z.string().optional(),
  framework_id: idSchema.optional(),
  command: commandSchema.optional(),
  container: containerSchema.optional(),
  resources: z.array(resourceSchema).optional(),
  name: z.string().optional(),
  source: z.string().optional(),
  labels: labelsSchema.optional(),
});

export const taskInfoSchema = z.object({
  name: z.string(),
  task_id: idSchema,
  agent_id: idSchema,
  resources: z.array(resourceSchema).default([]),
  limits: z.record(z.string(), z.union([z.object({ value: z.number() }), z.number()])).optional(),
  executor: executorSchema.optional(),
  command: commandSchema.optional(),
  container: containerSchema.optional(),
  health_check: healthCheckSchema.optional(),
  check: z.record(z.string(), z.unknown()).optional(),
  kill_policy: killPolicySchema.optional(),
  /** Base64. */
  data: z.string().optional(),
  labels: labelsSchema.optional(),
  discovery: discoverySchema.optional(),
  max_completion_time: durationSchema.optional(),
});
export type TaskInfo = z.infer<typeof taskInfoSchema>;

export const taskStates = [
  "TASK_STAGING",
  "TASK_STARTING",
  "TASK_RUNNING",
  "TASK_KILLING",
  "TASK_FINISHED",
  "TASK_FAILED",
  "TASK_KILLED",
  "TASK_ERROR",
  "TASK_LOST",
  "TASK_DROPPED",
  "TASK_UNREACHABLE",
  "TASK_GONE",
  "TASK_GONE_BY_OPERATOR",
  "TASK_UNKNOWN",
] as const;
export type TaskState = (typeof taskStates)[number];

const livingStates: ReadonlySet<TaskState> = new Set([
  "TASK_STAGING",
  "TASK_STARTING",
  "TASK_RUNNING",
  "TASK_KILLING",
]);
const openStates: ReadonlySet<TaskState> = new Set([...livingStates, "TASK_UNREACHABLE", "TASK_UNKNOWN"]);

/** A task in this state holds its agent's resources. */
export const isLiving = (state: TaskState): boolean => livingStates.has(state);
/** No other state can follow. */
export const isTerminal = (state: TaskState): boolean => !openStates.has(state);

const containerStatusSchema = z.object({
  container_id: idSchema.optional(),
  network_infos: z.array(networkInfoSchema).optional(),
  executor_pid: integerSchema.optional(),
});

export const taskStatusSchema = z.object({
  task_id: idSchema,
  state: z.enum(taskStates),
  message: z.string().optional(),
  source: z.enum(["SOURCE_MASTER", "SOURCE_AGENT", "SOURCE_EXECUTOR"]).optional(),
  reason: z.string().optional(),
  /** Base64. */
  data: z.string().optional(),
  agent_id: idSchema.optional(),
  executor_id: idSchema.optional(),
  /** Seconds since the epoch. */
  timestamp: z.number().optional(),
  /** Base64 of 16 bytes. Present when the scheduler must acknowledge. */
  uuid: z.string().optional(),
  healthy: z.boolean().optional(),
  labels: labelsSchema.optional(),
  container_status: containerStatusSchema.optional(),
  unreachable_time: durationSchema.optional(),
});
export type TaskStatus = z.infer<typeof taskStatusSchema>;
