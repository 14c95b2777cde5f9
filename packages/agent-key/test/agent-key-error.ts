import { expect } from "vitest";
import { AgentKeyError } from "../src/agent-key-error.js";
import type { Code } from "../src/codes.js";

/** Matches an AgentKeyError with this code. */
export function agentKeyError(code: Code): unknown {
  return expect.objectContaining({ name: "AgentKeyError", code });
}

/** The AgentKeyError that a call throws; fails when it throws none. */
export function refusalOf(run: () => unknown): AgentKeyError {
  try {
    run();
  } catch (error) {
    if (AgentKeyError.is(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
