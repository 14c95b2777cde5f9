import { AGENT_REGISTRATION_PATH } from "@countersign/agent-identity/server";
import { isServerId } from "@countersign/agent-key";
import { Refusal } from "../registry/refusal.js";

/** Where the routes stand besides the root, for clients that expect Codex's backend. */
export const BACKEND_PREFIX = "/backend-api";

/** Names an agent in the path of an operation. */
export const AGENT_PARAMETER = "{agent_runtime_id}";

const TASK_PATH = /^\/v1\/agent\/([^/]+)\/task\/register$/;

/** The path of an agent's task registration after the mount prefix. */
export function taskRegistrationTarget(agentRuntimeId: string): string {
  return `/v1/agent/${encodeURIComponent(agentRuntimeId)}/task/register`;
}

/**
 * Reads what a biscuit is asked for: the full URL that the client will call, as a path after the mount prefix, which is what a biscuit is
 * bound to.
 *
 * @param url - the value of X-Original-Url, an absolute URL
 * @param publicUrl - normalised base URL of the authority; without one the path alone counts
 * @throws {Refusal} `invalid_request` when it is none of the two registrations, or at another authority
 */
export function parseRegistrationTarget(url: string, publicUrl: string | undefined): string {
  const { origin, pathname, search, hash } = new URL(url);
  if (search !== "" || hash !== "") throw notARegistration();
  const path = publicUrl === undefined ? pathname : pathBelow(publicUrl, origin + pathname);
  const target = path.startsWith(`${BACKEND_PREFIX}/`) ? path.slice(BACKEND_PREFIX.length) : path;
  if (target === AGENT_REGISTRATION_PATH) return target;
  const agentRuntimeId = decodeId(TASK_PATH.exec(target)?.[1]);
  if (agentRuntimeId === undefined) throw notARegistration();
  return taskRegistrationTarget(agentRuntimeId);
}

function pathBelow(publicUrl: string, url: string): string {
  // A base is not the beginning of a longer name: https://a.example is none of https://a.example.other.
  if (!url.startsWith(`${publicUrl}/`)) throw notARegistration();
  return url.slice(publicUrl.length);
}

function decodeId(segment: string | undefined): string | undefined {
  if (segment === undefined) return undefined;
  try {
    const id = decodeURIComponent(segment);
    return isServerId(id) ? id : undefined;
  } catch {
    // A broken escape: no id, so no registration.
    return undefined;
  }
}

function notARegistration(): Refusal {
  return new Refusal(
    "invalid_request",
    "a biscuit is given for an agent or task registration of this authority alone",
    { hint: "X-Original-Url is the full URL of that request" },
  );
}
