import { createHash, randomBytes } from "node:crypto";
import { encodeBase64Url } from "@countersign/agent-key";
import type { TokenRole } from "../schema/roles-and-states.js";

const SECRET_BYTES = 32;
// 32 bytes in base64url without padding are 43 characters, the last of which carries four bits.
const SECRET_FORM = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

// Prefixes by kind, so that secret scanners find a leaked token and a person sees what it is.
const PREFIXES = {
  human: "cs_human_",
  resource_server: "cs_rs_",
  read: "cs_read_",
  audit: "cs_audit_",
  stop: "cs_stop_",
  operate: "cs_operate_",
  biscuit: "cs_biscuit_",
} as const satisfies Record<TokenRole | "biscuit", string>;

/**
 * Makes a secret of one kind from 32 random bytes.
 *
 * @param isLimited - whether it may do less than its role alone says. An authority of an earlier version, which may run beside this one during
 *   an update, knows no such limits: it refuses the prefix that it does not know
 */
export function createSecret(kind: TokenRole | "biscuit", isLimited = false): string {
  const prefix = isLimited ? limited(PREFIXES[kind]) : PREFIXES[kind];
  return prefix + encodeBase64Url(randomBytes(SECRET_BYTES));
}

/** Returns whether a text has the form of a secret of this kind. */
export function isSecretOf(kind: TokenRole | "biscuit", text: string): boolean {
  return [PREFIXES[kind], limited(PREFIXES[kind])].some(
    (prefix) => text.startsWith(prefix) && SECRET_FORM.test(text.slice(prefix.length)),
  );
}

function limited(prefix: string): string {
  return prefix.replace("cs_", "cs_limited_");
}

/** SHA-256 in hexadecimal: all that the database keeps. The secrets have 256 random bits, so a plain hash is enough. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
