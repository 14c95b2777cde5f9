import { join } from "node:path";
import { signAssertion } from "@countersign/agent-assertion/sign";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { findUserHome } from "@countersign/private-file/user-home";
import {
  findDecision,
  type HeaderDecision,
  isObject,
  parseJson,
  readOwnFile,
  stateOf,
} from "./header-decision.js";

const MAX_BYTES = 16n * 1024n * 1024n;

/** What {@link signKnownHeader} looks at. */
export interface KnownHeaderOptions {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The version of this program. */
  readonly version: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Signs the line of `header` again, if the program has already decided for exactly this state of the home which agent signs for which
 * task. It loads neither the stores nor their schemas, because a shell would wait for them at each request.
 *
 * Every other case is left to the program: other options, an unusual home, a file that changed, a task near its end.
 *
 * @returns the line; `undefined`: the program has to make it
 */
export function signKnownHeader(options: KnownHeaderOptions): string | undefined {
  try {
    return signIfKnown(options);
  } catch {
    // Not a key, or not an id: the program reports what is wrong with the home.
    return undefined;
  }
}

function signIfKnown(options: KnownHeaderOptions): string | undefined {
  const { args, environment, version, now } = options;
  const scope = scopeOf(args, environment);
  const home = scope === undefined ? undefined : plainHome(environment.COUNTERSIGN_HOME);
  if (scope === undefined || home === undefined) return undefined;
  const state = stateOf({ home, scope, environment, version });
  if (state === undefined) return undefined;
  const decision = findDecision(home, state);
  if (decision === undefined) return undefined;
  if (decision.until !== undefined && now > decision.until) return undefined;
  const text = readOwnFile(join(home, "credentials.json"), MAX_BYTES, state.credentials);
  const key = keyOf(parseJson(text), decision);
  if (key === undefined) return undefined;
  const { agent_runtime_id: agentRuntimeId, task_id: taskId } = decision;
  const timestamp = formatTimestamp(now);
  return `Authorization: ${signAssertion({ agentRuntimeId, taskId, key, timestamp })}`;
}

// The file is the one that was read for the decision, so that its entry is the one that was chosen.
function keyOf(credentials: unknown, decision: HeaderDecision): AgentKey | undefined {
  if (!isObject(credentials) || !Array.isArray(credentials.identities)) return undefined;
  for (const entry of credentials.identities) {
    if (!isObject(entry) || typeof entry.private_key !== "string") continue;
    if (entry.authority !== decision.authority) continue;
    if (entry.agent_runtime_id !== decision.agent_runtime_id) continue;
    const key = AgentKey.importPkcs8(entry.private_key);
    if (key.publicKey.line === decision.public_key) return key;
  }
  return undefined;
}

function plainHome(named: string | undefined): string | undefined {
  if (named) return named.startsWith("/") ? named : undefined;
  const found = findUserHome();
  return "path" in found ? join(found.path, ".countersign") : undefined;
}

function scopeOf(args: readonly string[], environment: NodeJS.ProcessEnv): string | undefined {
  if (args[0] !== "header") return undefined;
  if (args.length === 1) return environment.COUNTERSIGN_THREAD || "cli";
  if (args.length === 3 && args[1] === "--thread" && !args[2]?.startsWith("-")) return args[2];
  return undefined;
}
