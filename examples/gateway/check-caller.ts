import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const TEXTS = ["sub", "authority", "task_id", "account_id", "user_id", "jti"];

export function createCallerCheck(keysUrl: string, audience: string) {
  const keys = createRemoteJWKSet(new URL(keysUrl));
  const typ = "agent-caller+jwt";
  const rules = {
    audience,
    issuer: "countersign",
    typ,
    algorithms: ["EdDSA"],
    requiredClaims: ["exp"],
    maxTokenAge: 60,
    clockTolerance: 10,
  };
  return async (token: string) => {
    const { payload, protectedHeader: header } = await jwtVerify(token, keys, rules);
    // jose takes other spellings of typ, no kid beside a set of one key, lists of audiences, and claims that are null.
    const isExact = header.typ === typ && typeof header.kid === "string";
    const isForOne = payload.aud === audience && Array.isArray(payload.capabilities);
    if (!isExact || !isForOne || !TEXTS.every((name) => typeof payload[name] === "string")) {
      throw new errors.JWTInvalid("not a caller token for this API alone");
    }
    const { sub: agent, task_id: task, account_id: account } = payload;
    return { agent, task, account };
  };
}
