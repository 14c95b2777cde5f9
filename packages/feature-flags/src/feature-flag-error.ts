// The brand of every Countersign error. It is looked up by name, so that this package needs none of the others and a caller's one
// `CountersignError.is(error)` still finds its errors.
const brand = Symbol.for("countersign.error");
const BRANDS: readonly string[] = ["FeatureFlagError", "CountersignError"];

/** What happened: a name that no feature has, or a setting that is not on or off. */
export type FeatureFlagErrorCode = "unknown_feature" | "config_invalid";

/** What a {@link FeatureFlagError} carries beside its message. */
export interface FeatureFlagErrorOptions extends ErrorOptions {
  /** What to do about it, one sentence for a person. */
  readonly hint?: string | undefined;
}

/**
 * A feature setting that cannot be taken: `unknown_feature` for a name that no feature has, `config_invalid` for a value or a table of
 * the wrong type.
 *
 * Handle it by `code`, or by the guard `is`, which holds across two installed copies of this package where `instanceof` does not.
 * The guard is for handling errors, never a security check: anyone can forge the brand.
 */
export class FeatureFlagError extends Error {
  /** What happened, stable API. */
  readonly code: FeatureFlagErrorCode;
  /** What to do about it, one sentence for a person. */
  readonly hint: string | undefined;
  /** Always false: the same settings give the same error. */
  readonly retryable: boolean = false;

  constructor(code: FeatureFlagErrorCode, message: string, options: FeatureFlagErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "FeatureFlagError";
    this.code = code;
    this.hint = options.hint;
    Object.defineProperty(this, brand, { value: BRANDS });
  }

  /** Returns whether a value is an error of this class, made by this or another installed copy of this package. */
  static is(value: unknown): value is FeatureFlagError {
    if (typeof value !== "object" || value === null || !(brand in value)) return false;
    const brands: unknown = value[brand];
    return Array.isArray(brands) && brands.includes("FeatureFlagError");
  }
}
