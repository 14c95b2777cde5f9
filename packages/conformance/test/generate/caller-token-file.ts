import { createHash, createHmac } from "node:crypto";
import { GROUP_ORDER } from "./edwards.js";
import { NOW, seconds, type VectorKey, vectorKey } from "./vector-keys.js";

const ISSUER = "countersign";
const AUDIENCE = "api";
const TYPE = "agent-caller+jwt";
const SIGNING = vectorKey("gateway 1");
const NEXT = vectorKey("gateway 2");
const STRANGER = vectorKey("gateway 3");
const at = (moved: number) => seconds(NOW, moved);

const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "agent-1",
  authority: "https://authority.example",
  task_id: "task-1",
  account_id: "acct-1",
  user_id: "user-1",
  capabilities: ["read", "write"],
  iat: at(-5),
  exp: at(55),
  jti: "AAECAwQFBgcICQoLDA0ODw",
};
const FACTS = {
  sub: CLAIMS.sub,
  authority: CLAIMS.authority,
  task_id: CLAIMS.task_id,
  account_id: CLAIMS.account_id,
  user_id: CLAIMS.user_id,
  capabilities: CLAIMS.capabilities,
};

function jwkOf(key: VectorKey) {
  const x = Buffer.from(key.blob, "base64").subarray(-32).toString("base64url");
  // RFC 7638 §3.
  const kid = createHash("sha256")
    .update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)
    .digest("base64url");
  return { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" };
}
const JWK = jwkOf(SIGNING);

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const inputOf = (claims: object, header: object) =>
  `${encode({ alg: "EdDSA", typ: TYPE, kid: JWK.kid, ...header })}.${encode({ ...CLAIMS, ...claims })}`;
const signed = (input: string, key = SIGNING) =>
  `${input}.${key.sign(input).toString("base64url")}`;
const token = (claims: object = {}, header: object = {}, key = SIGNING) =>
  signed(inputOf(claims, header), key);

const [head = "", payload = "", signature = ""] = token().split(".");
/** The good token's signature behind another payload or header. */
const changed = (claims: object, header: object = {}) => `${inputOf(claims, header)}.${signature}`;
/** A token with this payload, right or wrong. */
const raw = (text: string) => signed(`${head}.${Buffer.from(text).toString("base64url")}`);
function hmac(secret: string | Buffer): string {
  const input = inputOf({}, { alg: "HS256" });
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
/** The good signature with the order of the base point added to its second half. */
function malleated(): string {
  const bytes = Buffer.from(signature, "base64url");
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + GROUP_ORDER;
  const second = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([bytes.subarray(0, 32), second]).toString("base64url");
}

const accept = (name: string, text: string, facts: object = {}) => ({
  name,
  token: text,
  ...FACTS,
  ...facts,
});
const reject = (name: string, text: string) => ({ name, token: text });
const OTHER_CLAIMS = {
  iss: "other",
  aud: "billing",
  sub: "agent-2",
  authority: "https://other.example",
  task_id: "task-2",
  account_id: "acct-2",
  user_id: "user-2",
  capabilities: ["admin"],
  iat: at(-4),
  exp: at(56),
  jti: "AQECAwQFBgcICQoLDA0ODw",
};

/** Caller tokens as an upstream checks them. */
export const callerTokenFile = {
  form: "countersign.caller-token/1",
  description:
    "Values of x-agent-caller-token, judged by an upstream at now against key_set, issuer and audience, with clock_tolerance_seconds for what concerns time: the facts in one that holds, or refused.",
  now: NOW,
  clock_tolerance_seconds: 10,
  issuer: ISSUER,
  audience: AUDIENCE,
  key_set: { keys: [JWK, jwkOf(NEXT)] },
  accept: [
    accept("a good one", token()),
    accept("the other key of the set", token({}, { kid: jwkOf(NEXT).kid }, NEXT)),
    accept("no capabilities", token({ capabilities: [] }), { capabilities: [] }),
    accept("an unknown claim", token({ extra: { a: 1 } })),
    accept(
      "claims in another order",
      raw(JSON.stringify(Object.fromEntries(Object.entries(CLAIMS).reverse()))),
    ),
    accept("a key set and a key in the header are not looked at", token({}, foreignKey())),
    accept("issued now", token({ iat: at(0), exp: at(60) })),
    accept("a life of one second", token({ iat: at(0), exp: at(1) })),
    accept("ends in a second", token({ iat: at(-59), exp: at(1) })),
    accept("ended 9 s ago", token({ iat: at(-69), exp: at(-9) })),
    accept("issued 10 s ahead", token({ iat: at(10), exp: at(70) })),
    accept("not before 10 s from now", token({ nbf: at(10) })),
  ],
  reject: [
    reject("empty", ""),
    reject("two parts", `${head}.${payload}`),
    reject("four parts", `${token()}.${signature}`),
    reject("a header that is not JSON", `AAAA.${payload}.${signature}`),
    reject("a payload that is not JSON", raw("x")),
    reject("a payload that is a list", raw("[]")),
    reject("algorithm none, without a signature", `${inputOf({}, { alg: "none" })}.`),
    reject("algorithm none, with a signature", token({}, { alg: "none" })),
    reject("HS256 with the public key as the secret", hmac(Buffer.from(JWK.x, "base64url"))),
    reject("HS256 with the text of the public key as the secret", hmac(JWK.x)),
    reject("ES256", token({}, { alg: "ES256" })),
    reject("Ed25519 as the algorithm", token({}, { alg: "Ed25519" })),
    reject("no algorithm", token({}, { alg: undefined })),
    reject("the type JWT", token({}, { typ: "JWT" })),
    reject("another type", token({}, { typ: "agent-caller" })),
    reject("no type", token({}, { typ: undefined })),
    reject("a kid that the set does not have", token({}, { kid: jwkOf(STRANGER).kid }, STRANGER)),
    reject("no kid", token({}, { kid: undefined })),
    reject("a kid that is not a text", token({}, { kid: 1 })),
    reject("a key of the set under the kid of the other one", token({}, {}, NEXT)),
    reject("another key under the same kid", token({}, {}, STRANGER)),
    reject("a key in the header, which signed", token({}, foreignKey(), STRANGER)),
    reject(
      "a key in the header, which signed, without a kid",
      token({}, { ...foreignKey(), kid: undefined }, STRANGER),
    ),
    reject("crit", token({}, { crit: ["exp"], exp: at(55) })),
    reject("an empty signature", `${head}.${payload}.`),
    reject("a signature of 63 bytes", `${head}.${payload}.${signature.slice(0, 84)}`),
    reject("a signature S + L", `${head}.${payload}.${malleated()}`),
    ...Object.entries(OTHER_CLAIMS).map(([name, value]) =>
      reject(`another ${name} than was signed`, changed({ [name]: value })),
    ),
    reject("another claim than were signed", changed({ extra: 1 })),
    reject("another header than was signed", changed({}, { extra: 1 })),
    reject("another issuer", token({ iss: "other" })),
    reject("the issuer in capitals", token({ iss: "COUNTERSIGN" })),
    reject("another audience", token({ aud: "billing" })),
    reject("an audience that begins with the name", token({ aud: "api2" })),
    reject("a list of other audiences", token({ aud: ["billing", "api2"] })),
    ...Object.keys(CLAIMS).map((name) => reject(`no ${name}`, token({ [name]: undefined }))),
    reject("ended 10 s ago", token({ iat: at(-70), exp: at(-10) })),
    reject("ended an hour ago", token({ iat: at(-3660), exp: at(-3600) })),
    reject("ended as soon as it was issued", token({ iat: at(-30), exp: at(-30) })),
    reject("exp as a text", token({ exp: String(at(55)) })),
    reject("exp null", token({ exp: null })),
    reject("issued 11 s ahead", token({ iat: at(11), exp: at(71) })),
    reject("issued an hour ahead", token({ iat: at(3600), exp: at(3660) })),
    reject("iat as a text", token({ iat: String(at(-5)) })),
    reject("a life of an hour, 71 s old", token({ iat: at(-71), exp: at(3529) })),
    reject("a life of a day, an hour old", token({ iat: at(-3600), exp: at(82_800) })),
    reject("not before 11 s from now", token({ nbf: at(11) })),
    reject("nbf as a text", token({ nbf: "1" })),
    {
      ...reject("no kid, and a set of one key", token({}, { kid: undefined })),
      key_set: { keys: [JWK] },
    },
    reject("the type in capitals", token({}, { typ: TYPE.toUpperCase() })),
    reject("the type as a media type", token({}, { typ: `application/${TYPE}` })),
    reject("a list of audiences with the name in it", token({ aud: [AUDIENCE, "billing"] })),
    reject("a list of the audience alone", token({ aud: [AUDIENCE] })),
    ...Object.keys(CLAIMS)
      .filter((name) => name !== "exp")
      .map((name) => reject(`${name} null`, token({ [name]: null }))),
    reject("capabilities as a text", token({ capabilities: "read" })),
  ],
};

/** Header members that name keys of another signer. */
function foreignKey() {
  return { jwk: jwkOf(STRANGER), jku: "https://evil.example/jwks.json" };
}
