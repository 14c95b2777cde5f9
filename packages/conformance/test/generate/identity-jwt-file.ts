import { createPrivateKey, type JsonWebKey, sign } from "node:crypto";
import { OTHER_KEY, SHORT_KEY, SIGNING_KEY } from "./rsa-keys.js";
import { KEY_A, NOW, seconds } from "./vector-keys.js";

const ISSUER = "https://chatgpt.com/codex-backend/agent-identity";
const AUDIENCE = "codex-app-server";
const KID = "signing-key-1";
const at = (moved: number) => seconds(NOW, moved);

const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  iat: at(-60),
  exp: at(3600),
  agent_runtime_id: "agent-1",
  agent_private_key: KEY_A.pkcs8,
  account_id: "acct-1",
  chatgpt_user_id: "user-1",
  email: "",
  plan_type: "unknown",
  chatgpt_account_is_fedramp: false,
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(claims: object = {}, header: object = {}, key: JsonWebKey = SIGNING_KEY): string {
  const all = { alg: "RS256", typ: "JWT", kid: KID, ...header };
  const signed = `${encode(all)}.${encode({ ...CLAIMS, ...claims })}`;
  const privateKey = createPrivateKey({ key, format: "jwk" });
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

const accept = (name: string, text: string) => ({
  name,
  token: text,
  agent_runtime_id: "agent-1",
  account_id: "acct-1",
  user_id: "user-1",
  ssh_public_key: KEY_A.line,
});
const reject = (name: string, code: string, text: string) => ({ name, token: text, code });
const without = (claim: string) => token({ [claim]: undefined });
const [head = "", payload = "", signature = ""] = token().split(".");
const { n, e } = SIGNING_KEY;

const publicOf = (key: JsonWebKey, more: object = {}) => ({
  kty: "RSA",
  kid: KID,
  n: key.n,
  e: key.e,
  ...more,
});
const GOOD_KEY = publicOf(SIGNING_KEY, { alg: "RS256", use: "sig" });
const OTHER = publicOf(OTHER_KEY, { kid: "other-key" });
/** The vector, judged against these keys in place of `key_set`. */
const against = <Vector extends object>(vector: Vector, ...keys: readonly object[]) => ({
  ...vector,
  key_set: { keys },
});
const refusedKey = (name: string, ...keys: readonly object[]) =>
  against(reject(name, "bad_signature", token()), ...keys);
const longKid = (length: number) => token({}, { kid: "k".repeat(length) });
/** A token with this payload, right or wrong. */
function raw(payloadBytes: string): string {
  const signed = `${head}.${Buffer.from(payloadBytes).toString("base64url")}`;
  const privateKey = createPrivateKey({ key: SIGNING_KEY, format: "jwk" });
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}
/** A token of this many characters, a multiple of 4 apart from its header and signature. */
function ofLength(length: number): string {
  for (let more = 48_000; ; more += 1) {
    const made = token({ x: "x".repeat(more) });
    if (made.length >= length) return made;
  }
}

/** Identity JWTs (generation B) as a client reads them. */
export const identityJwtFile = {
  form: "countersign.identity-jwt/1",
  description:
    "Identity JWTs, judged at now with 60 s of tolerance against key_set (or a vector's own), issuer and audience: the agent in one that holds, or the code.",
  now: NOW,
  issuer: ISSUER,
  audience: AUDIENCE,
  key_set: { keys: [{ kty: "RSA", kid: KID, alg: "RS256", use: "sig", n, e }] },
  accept: [
    accept("a good one", token()),
    accept("without email", without("email")),
    accept("an unknown plan and claim", token({ plan_type: "hc", x: 1 })),
    accept("ended 59 s ago", token({ exp: at(-59) })),
    accept("issued in the future", token({ iat: at(600) })),
    accept("not before now", token({ nbf: at(0) })),
    accept("not before 60 s from now", token({ nbf: at(60) })),
    accept("ended 59.5 s ago", token({ exp: at(-59.5) })),
    accept("the last exp that there is", token({ exp: 253_402_300_799 })),
    accept(
      "exp twice in the payload, the last in time",
      raw(JSON.stringify(CLAIMS).replace("{", '{"exp":1,')),
    ),
    accept("crit that names b64, which is true", token({}, { crit: ["b64"], b64: true })),
    against(accept("a key without use and alg", token()), publicOf(SIGNING_KEY)),
    against(accept("a key for verify", token()), publicOf(SIGNING_KEY, { key_ops: ["verify"] })),
    against(
      accept("two keys of one kid, of which one is for encryption", token()),
      publicOf(OTHER_KEY, { use: "enc" }),
      GOOD_KEY,
    ),
    against(
      accept("two keys of one kid, of which one is for another algorithm", token()),
      publicOf(OTHER_KEY, { alg: "PS256" }),
      GOOD_KEY,
    ),
    against(
      accept("two keys of one kid, of which one is published with d", token()),
      publicOf(OTHER_KEY, { d: OTHER_KEY.d }),
      GOOD_KEY,
    ),
    against(
      accept("a kid of 256 characters", longKid(256)),
      publicOf(SIGNING_KEY, { kid: "k".repeat(256) }),
    ),
    accept(
      "a key set of its own in the header is not looked at",
      token({}, { jku: "https://evil.example" }),
    ),
  ],
  reject: [
    reject("empty", "malformed", ""),
    reject("two parts", "malformed", `${head}.${payload}`),
    reject("a header that is not JSON", "malformed", `AAAA.${payload}.${signature}`),
    reject("padding", "malformed", `${head}.${payload}=.${signature}`),
    reject("another algorithm", "bad_signature", token({}, { alg: "RS512" })),
    reject("algorithm none", "bad_signature", token({}, { alg: "none" })),
    reject("no kid", "malformed", token({}, { kid: undefined })),
    reject("a kid that is not a text", "malformed", token({}, { kid: 1 })),
    reject("a kid that the set does not have", "bad_signature", token({}, { kid: "other" })),
    reject("another key under the same kid", "bad_signature", token({}, {}, OTHER_KEY)),
    reject(
      "other claims than were signed",
      "bad_signature",
      `${head}.${encode({ ...CLAIMS, agent_runtime_id: "agent-2" })}.${signature}`,
    ),
    refusedKey("a key of 1024 bits", publicOf(SHORT_KEY)),
    against(
      reject("a signature by a key of 1024 bits", "bad_signature", token({}, {}, SHORT_KEY)),
      publicOf(SHORT_KEY),
    ),
    refusedKey("a key for encryption", publicOf(SIGNING_KEY, { use: "enc" }), OTHER),
    refusedKey("a key for another algorithm", publicOf(SIGNING_KEY, { alg: "PS256" }), OTHER),
    refusedKey("a key that is not for verify", publicOf(SIGNING_KEY, { key_ops: ["sign"] }), OTHER),
    refusedKey(
      "a key that is published with d",
      publicOf(SIGNING_KEY, { d: SIGNING_KEY.d }),
      OTHER,
    ),
    refusedKey("two keys of one kid", GOOD_KEY, publicOf(OTHER_KEY)),
    refusedKey("two keys of one kid, one of 1024 bits", publicOf(SHORT_KEY), GOOD_KEY),
    refusedKey("one key twice", GOOD_KEY, GOOD_KEY),
    refusedKey("a key of another type", { ...GOOD_KEY, kty: "EC" }, OTHER),
    against(
      reject("a kid of 257 characters", "malformed", longKid(257)),
      publicOf(SIGNING_KEY, { kid: "k".repeat(257) }),
    ),
    reject("more than 64 KiB", "malformed", ofLength(65_537)),
    reject("crit", "malformed", token({}, { crit: ["exp"], exp: at(3600) })),
    reject(
      "crit that names b64, which is false",
      "malformed",
      token({}, { crit: ["b64"], b64: false }),
    ),
    reject("a payload that is not JSON", "malformed", raw("x")),
    reject("a payload that is a list", "malformed", raw("[]")),
    reject("no issuer", "malformed", without("iss")),
    reject("no audience", "malformed", without("aud")),
    reject("nbf as a text", "malformed", token({ nbf: "1" })),
    reject("nbf null", "malformed", token({ nbf: null })),
    reject("not before 61 s from now", "not_yet_valid", token({ nbf: at(61) })),
    reject("exp as a text", "malformed", token({ exp: String(at(3600)) })),
    reject("exp beyond the year 9999", "malformed", token({ exp: 253_402_300_800 })),
    reject("exp below 0", "agent_expired", token({ exp: -1 })),
    reject("iat as a text", "malformed", token({ iat: "1" })),
    reject("iat below 0", "malformed", token({ iat: -1 })),
    reject("iat beyond the year 9999", "malformed", token({ iat: 253_402_300_800 })),
    reject("no iat", "malformed", without("iat")),
    reject("email null", "malformed", token({ email: null })),
    reject("no private key", "malformed", without("agent_private_key")),
    reject("order: alg before kid", "bad_signature", token({}, { alg: "none", kid: undefined })),
    reject("order: signature before payload", "bad_signature", `${head}.AAAA.${signature}`),
    reject(
      "order: a list of audiences before exp",
      "unauthenticated",
      token({ aud: [AUDIENCE], exp: at(-3600) }),
    ),
    reject("order: issuer before iat", "unauthenticated", token({ iss: "x", iat: "1" })),
    reject("order: iat before exp", "malformed", token({ iat: "1", exp: at(-3600) })),
    reject("order: nbf before exp", "not_yet_valid", token({ nbf: at(3600), exp: at(-3600) })),
    reject("order: nbf before no exp", "not_yet_valid", token({ nbf: at(3600), exp: undefined })),
    reject(
      "order: the other claims before the private key",
      "malformed",
      token({ plan_type: 1, agent_private_key: "AAAA" }),
    ),
    reject("another issuer", "unauthenticated", token({ iss: "https://other.example" })),
    reject("another audience", "unauthenticated", token({ aud: "other" })),
    reject("a list of audiences", "unauthenticated", token({ aud: [AUDIENCE] })),
    reject("not yet valid", "not_yet_valid", token({ nbf: at(3600) })),
    reject("ended 60 s ago", "agent_expired", token({ exp: at(-60) })),
    reject("an agent id that is not one", "malformed", token({ agent_runtime_id: "a:b" })),
    reject("an account id that is not one", "malformed", token({ account_id: "" })),
    reject("no user", "malformed", without("chatgpt_user_id")),
    reject("no plan", "malformed", without("plan_type")),
    reject("fedramp as a text", "malformed", token({ chatgpt_account_is_fedramp: "false" })),
    reject("no exp", "malformed", without("exp")),
    reject("a private key that is not one", "invalid_key", token({ agent_private_key: "AAAA" })),
    reject("order: signature before issuer", "bad_signature", token({ iss: "x" }, {}, OTHER_KEY)),
    reject("order: issuer before exp", "unauthenticated", token({ iss: "x", exp: at(-3600) })),
    reject(
      "order: exp before the other claims",
      "agent_expired",
      token({ exp: at(-3600), plan_type: 1 }),
    ),
  ],
};
