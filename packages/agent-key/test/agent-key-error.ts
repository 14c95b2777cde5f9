import { faultsOfWording } from "@countersign/testing";
import { AgentKeyError } from "../src/agent-key-error.js";
import type { Code } from "../src/codes.js";

/** Matches an AgentKeyError with this code, whose texts are whole. */
export function agentKeyError(code: Code): unknown {
  return {
    asymmetricMatch: (error: unknown) =>
      AgentKeyError.is(error) && error.code === code && faultsOfWording(error).length === 0,
    toAsymmetricMatcher: () => `AgentKeyError ${code} with whole texts`,
  };
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
