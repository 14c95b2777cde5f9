import { createHash } from "node:crypto";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { parseMembers } from "./structured-fields.js";

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ["sha-256", "sha256"],
  ["sha-512", "sha512"],
]);

/**
 * Checks a `Content-Digest` field against the body as it was received: sha-256 and sha-512 count, at least one of them must be there, and
 * each that is there must be right. Other algorithms are ignored, as RFC 9530 allows.
 *
 * @throws {AgentAssertionError} `bad_signature` when it is not the digest of this body
 * @see RFC 9530 §2, §5
 */
export function checkContentDigest(value: string, body: Uint8Array): void {
  const known = [...membersOf(value)].flatMap(([name, { text }]) => {
    const algorithm = ALGORITHMS.get(name);
    return algorithm === undefined ? [] : [{ algorithm, text }];
  });
  if (known.length === 0) throw refused("it has neither sha-256 nor sha-512");
  for (const { algorithm, text } of known) {
    // Compared as written: a digest has one canonical base64.
    if (text !== `:${createHash(algorithm).update(body).digest("base64")}:`) {
      throw refused(`its ${algorithm} is not that of the body`);
    }
  }
}

function membersOf(value: string) {
  try {
    return parseMembers(value);
  } catch (cause) {
    throw refused("it is no dictionary without repetitions", cause);
  }
}

function refused(message: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError("bad_signature", `the Content-Digest: ${message}`, { cause });
}
