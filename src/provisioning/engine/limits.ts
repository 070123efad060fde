import { defaultForks, thisMachine } from "./default-forks.ts";

/** Every limit of a run, with its unit. */
export const limits = {
  /** Hosts that are worked on at once, unless -f says otherwise: what this machine can carry. */
  get forks(): number {
    return defaultForks(thisMachine());
  },
  /** Connections being opened at once; transport/ paces them for each address, as sshd drops beyond MaxStartups. */
  connectsAtOnce: 40,
  connectTimeoutMs: 10_000,
  /** What a user may set it to. */
  longestTimeoutMs: 86_400_000,
  /** A question that was asked ahead and takes longer is given up, and asked at its task's turn. */
  aheadQuestionTimeoutMs: 20_000,
  questionTimeoutMs: 120_000,
  /** A step without a `timeout` of its own: package installations are slow, but not endless. */
  stepTimeoutMs: 3_600_000,
  /** Answers about services, ports, processes and scripts are believed for so long. */
  volatileAnswerAgeMs: 10_000,
  /** All others: somebody else may be at work on the host too. */
  steadyAnswerAgeMs: 60_000,
  /** A step that took longer on any host makes the answers of all hosts stale. */
  slowStepMs: 5_000,
  /** Tasks looked at ahead of the one at hand, and questions put into one message. */
  aheadTasks: 400,
  aheadQuestions: 4_000,
  /** While a host is being changed every message makes the answers stale: a short look is enough. */
  aheadTasksWhileChanging: 25,
  planRounds: 5,
  /** Of a loop, when it is taken apart ahead. */
  aheadLoopItems: 2_000,
  /** Of a loop's items in one message of steps, and their content. */
  batchItems: 1_000,
  batchBytes: 262_144,
  /** Content of small files in one message of one task. */
  segmentBytes: 1_048_576,
  /** Large files of the items behind the first: what is sent again if the connection ends on the way. */
  batchStreamedBytes: 16_777_216,
  /** Contents of one file after each of the items that edit it, until all of them were told. */
  batchHeldBytes: 33_554_432,
  includeDepth: 60,
  fetchBytes: 4 * 1024 ** 3,
  reconnectPauseMs: 1_000,
  /** From an interrupt until connections are closed: what runs on hosts is being ended. */
  interruptGraceMs: 3_000,
  handlerPasses: 20,
  shownStderrLines: 20,
  untilRetries: 3,
  untilDelayMs: 5_000,
  asyncPollMs: 10_000,
  /** Controller files up to this size travel inside the message. */
  inlineBytes: 262_144,
  /** Files and roles that --syntax-check follows includes into. */
  checkedIncludes: 2_000,
} as const;
