import type { AgentDirectory, ReplayStore } from "@countersign/agent-assertion";
import type { Run } from "../config/run.js";
import { readSecretSource } from "../home/secrets.js";
import { authorityOption, namedAuthority } from "../options/authority-option.js";
import { openDatabase } from "../options/database-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { usageError } from "../text/cli-error.js";
import { tellOfClock } from "./clock-difference.js";
import { tellOfOutages } from "./directory-outage.js";

/** Options of commands that look agents up. */
export interface DirectoryOptions {
  readonly authority?: string;
  readonly authorityToken?: string;
  readonly database?: string;
}

/** A directory together with what it stands on. */
export interface OpenDirectory extends AsyncDisposable {
  readonly directory: AgentDirectory;
  /** Where the nonces of bound requests can be spent; absent where no database was named. */
  readonly replayStore?: ReplayStore | undefined;
}

/** How a directory is used. */
export interface DirectoryUse {
  /** How long an answer of the authority is used. */
  readonly revocationDelaySeconds: number;
  /** Whether stderr says when the authority stops answering and when its clock differs: for a command that goes on running then. */
  readonly tellsOutages: boolean;
  /** Called with the difference of the authority's clock, for a figure; see `remoteDirectory`. */
  readonly onClock?: ((aheadMs: number) => void) | undefined;
}

/**
 * Opens the directory that the options name: the authority's own by HTTP, or its database.
 *
 * @throws {CliError} `usage` when none or both are named
 */
export async function openDirectory(
  run: Run,
  options: DirectoryOptions,
  { revocationDelaySeconds, tellsOutages, onClock }: DirectoryUse,
): Promise<OpenDirectory> {
  const { authority, authorityToken, database } = options;
  if (authority !== undefined && database !== undefined) {
    throw usageError("--authority and --database exclude each other", "name the one to ask");
  }
  if (database !== undefined) return await openDatabaseDirectory(run, database);
  const named = authorityOption(authority) ?? (await namedAuthority(run));
  if (named === undefined) {
    throw usageError("no authority to ask", "add --authority URL, or --database sqlite:FILE");
  }
  const token =
    authorityToken === undefined
      ? undefined
      : await readSecretSource(run.environment, authorityToken, "--authority-token");
  const { remoteDirectory } = await import("@countersign/agent-assertion/remote-directory");
  const url = parseBaseUrl(run, named);
  const tellClock = tellsOutages ? tellOfClock(url, run.output) : undefined;
  const directory = remoteDirectory(url, {
    token,
    revocationDelaySeconds,
    onLookup: tellsOutages ? tellOfOutages(url, run.output) : undefined,
    onClock(aheadMs) {
      tellClock?.(aheadMs);
      onClock?.(aheadMs);
    },
    ...run.http,
  });
  return {
    directory,
    async [Symbol.asyncDispose]() {
      await directory.close?.();
    },
  };
}

async function openDatabaseDirectory(run: Run, database: string): Promise<OpenDirectory> {
  const { databaseDirectory, databaseReplayStore } = await import("@countersign/agent-authority");
  const store = await openDatabase(run, database, { create: false });
  // The ids come from this very database, so the name says nothing that a check would rest on.
  return {
    directory: databaseDirectory(store, "http://localhost"),
    replayStore: databaseReplayStore(store),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
