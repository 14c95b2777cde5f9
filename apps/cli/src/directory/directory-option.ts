import type { AgentDirectory, ReplayStore } from "@countersign/agent-assertion";
import type { DirectoryEvent, UseReportEvent } from "@countersign/agent-assertion/remote-directory";
import { platformFetch } from "@countersign/agent-key/platform-fetch";
import type { DirectoryFigures } from "@countersign/assertion-proxy";
import type { DatabaseSources } from "../config/database-url.js";
import type { Run } from "../config/run.js";
import { authorityOption, namedAuthority } from "../options/authority-option.js";
import { openDatabase } from "../options/database-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import type { ServedSecrets } from "../options/served-secrets.js";
import { usageError } from "../text/cli-error.js";
import { parseDuration } from "../text/duration.js";
import { tellOfClock } from "./clock-difference.js";
import { DirectoryHealth, noted } from "./directory-health.js";
import { tellOfOutages, watchFailures } from "./directory-outage.js";
import { type DirectoryToken, openDirectoryToken } from "./directory-token.js";

const USUAL_WINDOW = "300s";
const WINDOW = { min: 0, max: 3600 };

/** Options of commands that look agents up. */
export interface DirectoryOptions {
  readonly authority?: string | undefined;
  readonly authorityToken?: string | undefined;
  readonly database?: string | undefined;
  readonly outageWindow?: string | undefined;
  /** The database that a configuration names instead of `--database`, which may hold a password. */
  readonly databaseSetting?: Omit<DatabaseSources, "option"> | undefined;
}

/** A directory together with what it stands on. */
export interface OpenDirectory extends AsyncDisposable {
  readonly directory: AgentDirectory;
  /** Where the nonces of bound requests can be spent; absent where no database was named. */
  readonly replayStore?: ReplayStore | undefined;
  /** Whether a request can be verified. False if the directory refuses the token, or does not answer for longer than earlier answers are used. */
  canVerify(): boolean;
  /** How the directory answers, for figures. */
  figures(): DirectoryFigures;
  /** When the token for the authority ends, epoch milliseconds; `undefined` without one, and until the authority said so. */
  tokenEndsAt(): number | undefined;
}

/** How a directory is used. */
export interface DirectoryUse {
  /** How long an answer of the authority is used. */
  readonly revocationDelaySeconds: number;
  /** Whether stderr says when the authority stops answering and when its clock differs: for a command that goes on running then. */
  readonly tellsOutages: boolean;
  /** Takes the token, to be read again while a server runs. Absent: it is read once. */
  readonly secrets?: ServedSecrets | undefined;
  /** How often the authority is told which agents were used, seconds; 0: never. */
  readonly useReportSeconds: number;
  /** Called with each report of that, for figures; see `remoteDirectory`. */
  readonly onUseReport?: ((event: UseReportEvent) => void) | undefined;
  /** Called with the difference of the authority's clock, for a figure; see `remoteDirectory`. */
  readonly onClock?: ((aheadMs: number) => void) | undefined;
  /** Called with each lookup of an authority's directory, for a figure. */
  readonly onLookup?: ((lookup: DirectoryEvent) => void) | undefined;
}

/**
 * Opens the directory that the options name: the authority's own by HTTP, or its database.
 *
 * @throws {CliError} `usage` when none or both are named, or the outage window is not a duration from 0 seconds to an hour
 */
export async function openDirectory(
  run: Run,
  options: DirectoryOptions,
  use: DirectoryUse,
): Promise<OpenDirectory> {
  const { revocationDelaySeconds, tellsOutages, useReportSeconds } = use;
  const { secrets, onUseReport, onClock, onLookup } = use;
  const { authority, authorityToken, database, databaseSetting, outageWindow } = options;
  const hasDatabase = database !== undefined || databaseSetting !== undefined;
  if (authority !== undefined && hasDatabase) {
    throw usageError("--authority and --database exclude each other", "name the one to ask");
  }
  const windowSeconds = parseDuration(outageWindow ?? USUAL_WINDOW, "--outage-window", WINDOW);
  if (hasDatabase) {
    if (outageWindow === undefined) {
      const notesUses = useReportSeconds > 0;
      return await openDatabaseDirectory(run, options, { tellsOutages, notesUses });
    }
    throw usageError("--outage-window is for --authority", "a database has no earlier answers");
  }
  const named = authorityOption(authority) ?? (await namedAuthority(run));
  if (named === undefined) {
    throw usageError(
      "no authority to ask",
      "add --authority URL; or --database with the authority's own: sqlite:FILE or postgres://…",
    );
  }
  const health = new DirectoryHealth({ windowSeconds });
  const token =
    authorityToken === undefined
      ? undefined
      : await openToken(run, authorityToken, secrets, () => health.probe());
  const { remoteDirectory } = await import("@countersign/agent-assertion/remote-directory");
  const url = parseBaseUrl(run, named);
  const tellClock = tellsOutages ? tellOfClock(url, run.output) : undefined;
  const requests = watchFailures(token?.fetch ?? platformFetch);
  const tellOutage = tellsOutages
    ? tellOfOutages(url, run.output, { last: requests, windowSeconds })
    : undefined;
  const directory = remoteDirectory(url, {
    token: token?.current,
    fetch: requests.fetch,
    revocationDelaySeconds,
    staleIfErrorSeconds: windowSeconds,
    useReportSeconds,
    onUseReport,
    onLookup(lookup) {
      tellOutage?.(lookup);
      health.note(lookup);
      onLookup?.(lookup);
    },
    onClock(aheadMs) {
      tellClock?.(aheadMs);
      onClock?.(aheadMs);
    },
    ...run.http,
  });
  // A command that asks once reports what the authority says to that.
  if (tellsOutages) {
    health.watch(directory);
    await health.probe();
  }
  return {
    directory,
    canVerify: () => health.canVerify,
    figures: () => ({ state: health.state, kept: directory.kept() }),
    tokenEndsAt: () => token?.endsAt,
    async [Symbol.asyncDispose]() {
      health[Symbol.dispose]();
      tellOutage?.[Symbol.dispose]();
      await directory.close?.();
    },
  };
}

async function openToken(
  run: Run,
  source: string,
  secrets: ServedSecrets | undefined,
  probe: () => Promise<void>,
): Promise<DirectoryToken> {
  const open = () => openDirectoryToken(run, source);
  if (secrets === undefined) return await open();
  let token: DirectoryToken | undefined;
  await secrets.read({
    what: "the token for the authority",
    sources: [source],
    async read() {
      if (token === undefined) token = await open();
      else await token.reload();
      return token.current;
    },
    take: probe,
  });
  return token ?? (await open());
}

async function openDatabaseDirectory(
  run: Run,
  { database, databaseSetting: configured }: DirectoryOptions,
  { tellsOutages, notesUses }: { readonly tellsOutages: boolean; readonly notesUses: boolean },
): Promise<OpenDirectory> {
  const { databaseDirectory, databaseReplayStore } = await import("@countersign/agent-authority");
  const store = await openDatabase(run, database, { create: false, configured });
  const health = new DirectoryHealth({ windowSeconds: 0 });
  // The ids come from this very database, so the name says nothing that a check would rest on.
  const directory = noted(databaseDirectory(store, "http://localhost", { notesUses }), health);
  if (tellsOutages) {
    health.watch(directory);
    await health.probe();
  }
  return {
    directory,
    replayStore: databaseReplayStore(store),
    canVerify: () => health.canVerify,
    figures: () => ({ state: health.state }),
    tokenEndsAt: () => undefined,
    async [Symbol.asyncDispose]() {
      health[Symbol.dispose]();
      await store.close();
    },
  };
}
