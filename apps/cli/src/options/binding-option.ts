import {
  type BindingOptions,
  memoryReplayStore,
  type ReplayStore,
} from "@countersign/agent-assertion";
import type { Run } from "../config/run.js";
import { usageError } from "../text/cli-error.js";
import { parseBaseUrl } from "./http-url.js";

/** Options of servers that check requests which their agents bound. */
export interface BindingSwitches {
  readonly binding?: "off" | "accept" | "require" | undefined;
  readonly replayStore?: "memory" | "database" | undefined;
  readonly publicUrl?: string | undefined;
}

/**
 * Takes `--binding`, `--public-url` and `--replay-store`. A policy that checks bindings requires the other two: the URL that callers use
 * and the store of nonces are never guessed.
 *
 * @param ofDatabase - the replay store of the named database; `undefined`: no database is named
 * @throws {CliError} `usage` if one is given without the others; `config_invalid` if the URL is not valid
 */
export function resolveBinding(
  run: Run,
  { binding: policy = "off", replayStore, publicUrl: url }: BindingSwitches,
  ofDatabase: ReplayStore | undefined,
): BindingOptions {
  const publicUrl =
    url === undefined ? undefined : parseBaseUrl(run, { url, from: "--public-url" });
  if (policy === "off") {
    if (replayStore === undefined) return { policy };
    throw usageError(
      "--replay-store is for --binding",
      "add --binding accept or --binding require",
    );
  }
  if (publicUrl === undefined) {
    throw usageError(
      `--binding ${policy} needs --public-url`,
      "name the URL under which callers reach this server's root",
    );
  }
  if (replayStore === undefined) {
    throw usageError(
      `--binding ${policy} needs --replay-store`,
      "database is shared by all processes and outlives them; memory is for one process that is not restarted",
    );
  }
  const known = { policy, publicUrl, ...run.http };
  if (replayStore === "memory") return { ...known, replayStore: memoryReplayStore() };
  if (ofDatabase === undefined) {
    throw usageError(
      "--replay-store database needs --database",
      "name the authority's database, or keep spent nonces with --replay-store memory",
    );
  }
  return { ...known, replayStore: ofDatabase };
}
