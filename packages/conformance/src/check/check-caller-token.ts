import { parseTimestamp } from "@countersign/agent-key";
import {
  createLocalJWKSet,
  errors,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from "jose";
import type { CallerTokenFile } from "../schema/caller-token-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

const FACTS = ["sub", "authority", "task_id", "account_id", "user_id"] as const;
const TYPE = "agent-caller+jwt";
const REFUSED = "refused";

/**
 * The checks of a file of form `countersign.caller-token/1`: what an upstream does with `jose`, as docs/authorize.md shows it.
 *
 * @throws {CountersignError} if the file's clock is not valid
 */
export function checkCallerToken(file: CallerTokenFile): readonly VectorCheck[] {
  const options: JWTVerifyOptions = {
    issuer: file.issuer,
    audience: file.audience,
    typ: TYPE,
    algorithms: ["EdDSA"],
    requiredClaims: ["exp"],
    maxTokenAge: 60,
    clockTolerance: file.clock_tolerance_seconds,
    currentDate: new Date(parseTimestamp(file.now)),
  };
  const check = async ({ token, key_set = file.key_set }: Judged) => {
    try {
      const verified = await jwtVerify(token, createLocalJWKSet(key_set), options);
      return isExact(verified, file.audience) ? said(verified.payload) : REFUSED;
    } catch (error) {
      if (error instanceof errors.JOSEError) return REFUSED;
      throw error;
    }
  };
  return [
    ...file.accept.map((vector, index) => ({
      name: nameOf("accept", index, vector),
      expected: said(vector),
      run: () => check(vector),
    })),
    ...file.reject.map((vector, index) => ({
      name: nameOf("reject", index, vector),
      expected: REFUSED,
      run: () => check(vector),
    })),
  ];
}

type Judged = Pick<CallerTokenFile["reject"][number], "token" | "key_set">;

// U-4 asks for more than jose: it takes other spellings of typ, no kid beside a set of one key, lists of audiences, and claims that are null.
function isExact({ payload, protectedHeader }: JWTVerifyResult, audience: string): boolean {
  const { typ, kid } = protectedHeader;
  if (typ !== TYPE || typeof kid !== "string" || payload.aud !== audience) return false;
  if (!Array.isArray(payload.capabilities)) return false;
  return [...FACTS, "jti"].every((name) => typeof payload[name] === "string");
}

function said(claims: Readonly<Record<string, unknown>>): string {
  const facts = FACTS.map((name) => [name, String(claims[name])]);
  const capabilities = JSON.stringify(claims.capabilities);
  return outcome({ ...Object.fromEntries(facts), capabilities });
}
