import { AgentAuthorityError } from "../agent-authority-error.js";

/** The part of what an agent asks for that the operator allows, sorted, each once (protocol §5.4). */
export function grantCapabilities(
  requested: readonly string[],
  allowed: readonly string[],
): readonly string[] {
  return [...new Set(requested)].filter((capability) => allowed.includes(capability)).sort();
}

/** Reads the list of a row. */
export function parseCapabilities(text: string): readonly string[] {
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw new AgentAuthorityError("store_corrupt", "the database holds an unreadable agent");
}
