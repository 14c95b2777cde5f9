import type { TestProcess } from "@countersign/testing";
import type { Checks } from "./checks.ts";
import type { StubApi } from "./stub-api.ts";

/**
 * Holds the next two streamed answers back after their first piece. A chain that keeps answers until they are whole comes to no end then.
 *
 * @returns what lets them go on once a program printed the piece, and checks that it did
 */
export function holdNextAnswers(
  checks: Checks,
  upstream: StubApi,
): (running: TestProcess, piece: RegExp) => Promise<void> {
  const { promise: until, resolve: release } = Promise.withResolvers<void>();
  // Agents may ask for a title of their session beside the turn.
  upstream.answerNext({ until }, { until });
  return async (running, piece) => {
    const streamed = await running.waitForLine(piece).then(
      () => true,
      () => false,
    );
    release();
    checks.ok("the first piece of an answer arrives before the rest is there", streamed);
  };
}
