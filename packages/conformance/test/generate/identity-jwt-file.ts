import { createPrivateKey, type JsonWebKey, sign } from "node:crypto";
import { OTHER_KEY, SIGNING_KEY } from "./rsa-keys.js";
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

/** Identity JWTs (generation B) as a client reads them. */
export const identityJwtFile = {
  form: "countersign.identity-jwt/1",
  description:
    "Identity JWTs, judged at now with 60 s of tolerance against key_set, issuer and audience: the agent in one that holds, or the code.",
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
