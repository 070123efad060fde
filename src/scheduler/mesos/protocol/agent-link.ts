/**
 * What the built-in agent and master say to each other. The agent opens one stream (`POST /api/v1/agent-link`, body
 * AgentHello, answer RecordIO of AgentCommand) and sends its messages as POSTs to `/api/v1/agent-link/messages` with the
 * stream's id. A newer stream ends an older one; a message of an ended stream is answered 410, and the agent says hello
 * again with everything it runs. So a command on an ended stream is never carried out, and the hello is the whole truth.
 */
import { z } from "zod";
import { frameworkInfoSchema } from "./framework.ts";
import { masterInfoSchema } from "./master-info.ts";
import { attributeSchema, resourceSchema } from "./resource.ts";
import { killPolicySchema, taskInfoSchema, taskStates, taskStatusSchema } from "./task.ts";
import { idSchema, integerSchema } from "./wire.ts";

export const agentLinkPath = "/api/v1/agent-link";
export const agentMessagesPath = "/api/v1/agent-link/messages";
export const streamIdHeader = "Mesos-Stream-Id";

const agentInfoSchema = z.object({
  hostname: z.string(),
  ip: z.string(),
  port: integerSchema,
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).default([]),
  version: z.string(),
});
export type AgentInfo = z.infer<typeof agentInfoSchema>;

/** A task as an agent reports it and as the registry of tasks is rebuilt from it. */
const taskReportSchema = z.object({
  framework_id: idSchema,
  info: taskInfoSchema,
  /** The newest state, acknowledged or not. */
  state: z.enum(taskStates),
  statuses: z.array(taskStatusSchema).default([]),
});
export type TaskReport = z.infer<typeof taskReportSchema>;

export const agentHelloSchema = z.object({
  /** Absent until a master has given one; it survives restarts of the agent. */
  agent_id: idSchema.optional(),
  /** Counts the streams of one process, so that a late older hello cannot displace a newer. */
  boot: z.string(),
  attempt: z.int(),
  info: agentInfoSchema,
  tasks: z.array(taskReportSchema).default([]),
  frameworks: z.array(frameworkInfoSchema).default([]),
});
export type AgentHello = z.infer<typeof agentHelloSchema>;

export const agentCommandSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("REGISTERED"),
    agent_id: idSchema,
    master_info: masterInfoSchema,
    /** Without a ping for this long the agent takes the stream for dead. */
    silence_limit_ms: z.number(),
  }),
  z.object({ type: z.literal("PING") }),
  z.object({ type: z.literal("LAUNCH"), framework: frameworkInfoSchema, task: taskInfoSchema }),
  z.object({
    type: z.literal("KILL"),
    framework_id: idSchema,
    task_id: idSchema,
    kill_policy: killPolicySchema.optional(),
  }),
  z.object({
    type: z.literal("ACKNOWLEDGE"),
    framework_id: idSchema,
    task_id: idSchema,
    uuid: z.string(),
  }),
  z.object({ type: z.literal("SHUTDOWN_FRAMEWORK"), framework_id: idSchema }),
  /** The agent's tasks were given up for good: kill them and start anew under another id. */
  z.object({ type: z.literal("SHUTDOWN"), message: z.string() }),
]);
export type AgentCommand = z.infer<typeof agentCommandSchema>;

export const agentMessageSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("PONG") }),
  z.object({
    type: z.literal("UPDATE"),
    framework_id: idSchema,
    status: taskStatusSchema,
    /** Where the task is now, when `status` is an older update that waits for its acknowledgement. */
    latest_state: z.enum(taskStates),
  }),
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
