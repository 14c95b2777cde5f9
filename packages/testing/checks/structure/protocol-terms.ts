/** Terms of the protocol that a reader looks for in the folder listing, as the glossary of ARCHITECTURE.md writes them. */
export const PROTOCOL_TERMS = [
  "Biscuit",
  "Task registration",
  "Sealed box",
  "Assertion",
  "Directory record",
  "Revocation delay",
  "Binding",
  "Replay store",
  "Identity JWT",
  "Idempotency key",
] as const;

/**
 * Finds the terms that the first guess does not find: no source file and no folder of a package is named by the term alone, such as
 * `revocation-delay.ts` or `binding/`.
 *
 * @param files - paths from the root, with `/`
 */
export function termsNotFound(terms: readonly string[], files: readonly string[]): string[] {
  const names = new Set(files.flatMap(namesIn));
  return terms.filter((term) => !names.has(term.toLowerCase().replaceAll(" ", "-")));
}

// A test beside a file does not hold the term itself.
function namesIn(file: string): string[] {
  const inSource = /^packages\/[^/]+\/src\/(.+)\.ts$/.exec(file)?.[1];
  return inSource === undefined || inSource.endsWith(".test") ? [] : inSource.split("/");
}
