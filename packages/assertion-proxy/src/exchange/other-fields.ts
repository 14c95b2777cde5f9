import type { RequestBody } from "../body/request-body.js";
import type { RawFields } from "../head/raw-fields.js";
import type { Recovery } from "./admission.js";
import type { RefusedAnswer } from "./refused-answer.js";

/** Options of {@link otherFields}. */
export interface OtherFieldsOptions {
  /** Milliseconds after which the 401 is handed up. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks for the fields of a second attempt after a 401, while the rest of the body is read, as far as it can be kept.
 *
 * @returns `undefined` if there is no other credential, the body cannot be sent again, or the decision took longer than `waitMs`
 */
export async function otherFields(
  refused: RefusedAnswer,
  recovery: Recovery,
  body: RequestBody,
  options: OtherFieldsOptions,
): Promise<(() => RawFields) | undefined> {
  const gaveUp = new AbortController();
  const signal = AbortSignal.any([options.signal, gaveUp.signal]);
  const timer = setTimeout(() => gaveUp.abort(), options.waitMs);
  const givenUp = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const decide = async (): Promise<(() => RawFields) | undefined> => {
    // Reported to the source even if this body cannot be sent again: the next request would be refused with the same credential.
    const fields = await recovery.refused(await refused.code(), signal);
    return fields !== undefined && (await body.canRepeat()) ? fields : undefined;
  };
  try {
    // The source may not heed its signal.
    return await Promise.race([decide(), givenUp]);
  } finally {
    clearTimeout(timer);
  }
}
