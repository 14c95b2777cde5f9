import { faultsOfWording } from "@countersign/testing";
import { expect } from "vitest";
import { AgentAssertionError, AssertionRejected } from "../src/index.js";

/** The error that a call throws or rejects with. */
export async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return expect.unreachable("nothing was thrown");
}

/** Asserts that a call is rejected by a check with this code, whose texts are whole, and returns the error. */
export async function expectRejection(
  run: () => unknown,
  code: string,
): Promise<AssertionRejected> {
  const error = await failureOf(run);
  if (!AssertionRejected.is(error)) throw error;
  expect(error.code).toBe(code);
  expect(faultsOfWording(error)).toEqual([]);
  return error;
}

/** Asserts that a call fails with this code and for another reason than a check, whose texts are whole, and returns the error. */
export async function expectFailure(
  run: () => unknown,
  code: string,
): Promise<AgentAssertionError> {
  const error = await failureOf(run);
  if (!AgentAssertionError.is(error)) throw error;
  expect(AssertionRejected.is(error)).toBe(false);
  expect(error.code).toBe(code);
  expect(faultsOfWording(error)).toEqual([]);
  return error;
}
