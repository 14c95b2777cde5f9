import { expect } from "vitest";
import { type ErrorTexts, faultsOfWording } from "./faults-of-wording.js";

interface CodedError extends Error, ErrorTexts {
  readonly message: string;
  readonly retryable: boolean;
}

interface ErrorClass<T> {
  readonly brandName: string;
  readonly prototype: T;
  is(value: unknown): boolean;
}

/** Asserts that what was thrown is an error of this class and code, whose texts are whole, and gives the error. */
export function expectError<T extends CodedError>(
  error: unknown,
  errorClass: ErrorClass<T>,
  code: NoInfer<T["code"]>,
): T {
  // The error itself says most where it is another one.
  if (!errorClass.is(error)) throw error;
  const known = error as T;
  expect({ code: known.code, message: known.message }).toMatchObject({ code });
  expect(faultsOfWording(known)).toEqual([]);
  return known;
}

/** Asserts that a call throws, as {@link expectError}. */
export function expectThrow<T extends CodedError>(
  call: () => unknown,
  errorClass: ErrorClass<T>,
  code: NoInfer<T["code"]>,
): T {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    return expectError(error, errorClass, code);
  }
  return expect.fail(`did not throw but gave ${JSON.stringify(value)}`);
}

/** Asserts that a promise rejects, as {@link expectError}. */
export async function expectRejection<T extends CodedError>(
  promise: Promise<unknown>,
  errorClass: ErrorClass<T>,
  code: NoInfer<T["code"]>,
): Promise<T> {
  const error: unknown = await promise.then(
    (value) => expect.fail(`did not reject but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  return expectError(error, errorClass, code);
}
