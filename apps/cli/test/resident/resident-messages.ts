/** A command line for a resident, with all that a process of its own would get. */
export interface ResidentCommand {
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The whole standard input. */
  readonly input: string;
  /** What the resident prints on both streams behind the output of the command. */
  readonly endMark: string;
}

/** How a command ended that did not end its process. */
export interface ResidentAnswer {
  readonly code: number;
  /** Whether the process is no longer as a new one would be. */
  readonly isSpent: boolean;
}
