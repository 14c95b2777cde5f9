import type { Code } from "./code-rows.js";

const brand = Symbol.for("countersign.error");

/** What every error of Countersign carries beside its message. */
export interface CountersignErrorOptions extends ErrorOptions {
  /** What to do about it, one sentence for a person. Never holds a secret. */
  readonly hint?: string | undefined;
  /** Whether the same call may succeed later without anything being changed. Default false. */
  readonly retryable?: boolean | undefined;
}

/** A class of error that can say one of these codes. */
export type OptionErrorClass<C extends Code> = new (
  code: C,
  message: string,
  options: { readonly hint: string },
) => CountersignError;

interface ErrorClass<T> {
  readonly brandName: string;
  readonly prototype: T;
}

/**
 * The base of every error that a Countersign package throws on purpose.
 *
 * Handle errors by `code`, or by the guard `is`, which holds across two installed copies of a package where `instanceof`
 * does not. The guard is for handling errors, never a security check: anyone can forge the brand.
 */
export class CountersignError extends Error {
  /** The name that the guard `is` of this class looks for. */
  static readonly brandName: string = "CountersignError";

  /** What happened, stable API. */
  readonly code: Code;
  /** What to do about it, one sentence for a person. */
  readonly hint: string | undefined;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean;

  constructor(code: Code, message: string, options: CountersignErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.brandName;
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    Object.defineProperty(this, brand, { value: brandsOf(new.target) });
  }

  /** Returns whether a value is an error of this class, made by this or another installed copy of its package. */
  static is<T>(this: ErrorClass<T>, value: unknown): value is T {
    if (typeof value !== "object" || value === null || !(brand in value)) return false;
    const brands: unknown = value[brand];
    return Array.isArray(brands) && brands.includes(this.brandName);
  }
}

function brandsOf(errorClass: typeof CountersignError): readonly string[] {
  const brands: string[] = [];
  let current: typeof CountersignError | null = errorClass;
  while (current !== null && typeof current.brandName === "string") {
    brands.push(current.brandName);
    current = Object.getPrototypeOf(current);
  }
  return brands;
}
