const FLOOR = { major: 22, minor: 19 } as const;

/** What {@link refuseOldNode} looks at and writes to. */
export interface NodeFloorOptions {
  /** The version of Node that runs, such as `24.11.0`. */
  readonly version: string;
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** Where the refusal is written, for instance `process`. A stream is read from it only for a refusal, because Node makes it at first use. */
  readonly streams: {
    readonly stdout: { write(text: string): unknown };
    readonly stderr: { write(text: string): unknown };
  };
}

/**
 * Prints an error if this Node is older than the packages support, before any module that needs a newer one is loaded.
 *
 * The error has the form of every error of the command line. It is written here, because the module that writes the others is not loaded yet.
 *
 * @returns whether the version was refused; the exit code is then 2
 */
export function refuseOldNode({ version, args, streams }: NodeFloorOptions): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) return false;
  const message = `countersign needs Node ${FLOOR.major}.${FLOOR.minor} or newer; this is ${version}`;
  const hint = "install a newer one: https://nodejs.org";
  streams.stderr.write(`error: ${message} (config_invalid)\nhint: ${hint}\n`);
  if (args.includes("--json")) {
    const error = { code: "config_invalid", message, hint, retryable: false };
    streams.stdout.write(`${JSON.stringify({ error })}\n`);
  }
  return true;
}
