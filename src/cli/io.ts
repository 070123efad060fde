/**
 * What a command may touch of the world around it: given as an argument, so that commands are tested without a process.
 *
 * `src/cli` parses argv, calls the wings and prints; each subcommand is one file `<verb>.ts` that exports
 * `<verb>Command(argv, io)`, where argv starts after the verb and the promised number is the exit code. A command throws
 * ProvisionError for what its user did wrong: main prints it and exits 1. No decision about hosts is taken here.
 */
export interface CliIo {
  /** Writes to standard output as it is: no newline is added. */
  stdout(text: string): void;
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output is a terminal. */
  readonly isTTY: boolean;
  /** Columns of the terminal; 80 where unknown. */
  readonly columns: number;
  /** Colour is wanted: a terminal, and neither NO_COLOR nor TERM=dumb; or FORCE_COLOR. */
  readonly colour: boolean;
  readonly cwd: string;
  /** The folder of the package: where site.yml, roles/ and inventory/ of the toolkit are. */
  readonly packageRoot: string;
  /** There is somebody to be asked. */
  readonly canAsk: boolean;
  /** Asks on the terminal, also when standard input is a pipe. Rejects with code no-terminal when there is none. */
  prompt(question: string, options?: PromptOptions): Promise<string>;
  /** Standard input to its end, for `-` arguments. */
  readStdin(): Promise<Uint8Array>;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
export interface PromptOptions {
  /** Nothing is echoed while typing. */
  readonly hidden?: boolean;
  /** What to type instead where nobody can be asked. */
  readonly otherwise?: string;
}

export type Command = (argv: readonly string[], io: CliIo) => Promise<number>;

/** Exit codes, in rising order of weight: 4 wins over 2. */
export const exitCodes = {
  fine: 0,
  nothingRun: 1,
  hostFailed: 2,
  hostUnreachable: 4,
  interrupted: 130,
} as const;
