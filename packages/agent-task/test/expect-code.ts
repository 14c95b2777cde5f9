import type { Code, CountersignError } from "@countersign/agent-key";
import { faultsOfWording } from "@countersign/testing";
import { expect } from "vitest";

interface ErrorClass<T> {
  readonly prototype: T;
  readonly brandName: string;
  is(value: unknown): boolean;
}

/** Takes what a call threw and checks its class and code, and that its texts are whole. */
export function expectCode<T extends CountersignError>(
  error: unknown,
  errorClass: ErrorClass<T>,
  code: Code,
): T {
  if (!errorClass.is(error)) {
    throw new Error(`expected ${errorClass.brandName} (${code})`, { cause: error });
  }
  const known = error as T;
  expect(known.code).toBe(code);
  expect(faultsOfWording(known)).toEqual([]);
  return known;
}

/** Runs a call that must throw, and checks class and code. */
export function throwsCode<T extends CountersignError>(
  call: () => unknown,
  errorClass: ErrorClass<T>,
  code: Code,
): T {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  return expectCode(thrown, errorClass, code);
}

/** Waits for a promise that must reject, and checks class and code. */
export async function rejectsCode<T extends CountersignError>(
  promise: Promise<unknown>,
  errorClass: ErrorClass<T>,
  code: Code,
): Promise<T> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return expectCode(thrown, errorClass, code);
}
