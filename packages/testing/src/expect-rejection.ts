import { expect } from "vitest";
import { type ErrorTexts, faultsOfWording } from "./faults-of-wording.js";

interface CodedError extends Error, ErrorTexts {
  readonly message: string;
  readonly retryable: boolean;
}

interface ErrorClass<T> {
  readonly brandName: string;
  readonly prototype: T;
  is(this: ErrorClass<T>, value: unknown): value is T;
}

/** Asserts that a promise rejects with an error of this class and code, whose texts are whole, and gives the error. */
export async function expectRejection<T extends CodedError>(
  promise: Promise<unknown>,
  errorClass: ErrorClass<T>,
  code: NoInfer<T["code"]>,
): Promise<T> {
  const error: unknown = await promise.then(
    (value) => expect.fail(`did not reject but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  // The error itself says most where it is another one.
  if (!errorClass.is(error)) throw error;
  expect({ code: error.code, message: error.message }).toMatchObject({ code });
  expect(faultsOfWording(error)).toEqual([]);
  return error;
}
