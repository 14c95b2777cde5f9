import type { Credentials } from "../credential-store.js";

const frozen = new WeakSet<Credentials>();

/** Freezes a content as a whole, so that all who load it may share one object. @returns the same object */
export function freezeCredentials(credentials: Credentials): Credentials {
  deepFreeze(credentials);
  frozen.add(credentials);
  return credentials;
}

/** Whether a content was frozen as a whole, so that a result computed from it stays true. */
export function isFrozenCredentials(credentials: Credentials): boolean {
  return frozen.has(credentials);
}

// Not by recursion: members of other programs may be nested as deep as JSON allows.
function deepFreeze(root: object): void {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) continue;
    Object.freeze(value);
    for (const member of Object.values(value)) open.push(member);
  }
}
