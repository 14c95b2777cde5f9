import * as v from "valibot";
import { note, principalId, serverId, text } from "./fields.js";
import { publicRsaKeySchema } from "./key-set.js";

const owner = { authority: text, account_id: principalId(), user_id: principalId() };
// Shown to people only. No check uses it, so a wrong value fails nothing.
const loggedInAt = v.fallback(v.string(), "");
const notes = v.fallback(v.optional(v.array(v.string())), undefined);
const mark = v.fallback(v.optional(v.boolean()), undefined);

const storedHumanLoginSchema = v.looseObject({
  ...owner,
  kind: v.literal("human"),
  proof: v.picklist(["bearer", "biscuit"]),
  access_token: text,
  ephemeral_seconds: v.optional(
    v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(604_800)),
  ),
  logged_in_at: loggedInAt,
});

const storedIdentityJwtLoginSchema = v.looseObject({
  ...owner,
  kind: v.literal("agent"),
  identity_token: text,
  // What the token is held against, where it is not the usual.
  issuer: v.optional(text),
  audience: v.optional(text),
  key_set_url: v.optional(text),
  // Only saves a request; without it one is sent.
  key_set: v.fallback(v.optional(v.looseObject({ keys: v.array(publicRsaKeySchema) })), undefined),
  logged_in_at: loggedInAt,
});

/** The login of `credentials.json`, by its `kind`. Members it does not know are kept. */
export const storedLoginSchema = v.variant("kind", [
  storedHumanLoginSchema,
  storedIdentityJwtLoginSchema,
]);

/** One identity of `credentials.json`. Members it does not know are kept. */
export const storedIdentitySchema = v.pipe(
  v.looseObject({
    ...owner,
    private_key: v.optional(text),
    // In place of the private key, if that is kept elsewhere.
    public_key: v.optional(text),
    agent_runtime_id: v.optional(serverId),
    state: v.picklist(["pending", "registered"]),
    registered_at: note,
    // Never dropped where it cannot be read: it may be the agent's only key by now.
    next_private_key: v.optional(text),
    next_public_key: v.optional(text),
    // Without it a thread whose state is lost gets another task.
    idempotency_secret: note,
    compromised: v.optional(v.boolean()),
    // Each only adds to what is known; without it a question is asked, or a warning is missing.
    former_public_keys: notes,
    codex_homes: notes,
    revoked: mark,
    ephemeral: mark,
  }),
  v.check(
    (entry) => entry.state === "pending" || entry.agent_runtime_id !== undefined,
    "registered without an agent_runtime_id",
  ),
  v.check(
    (entry) => (entry.private_key === undefined) !== (entry.public_key === undefined),
    "needs private_key, or public_key if the private key is kept elsewhere",
  ),
);

/** The outer form of `credentials.json`; its members are read one by one, so that one unreadable member spoils no other. */
export const credentialsFileSchema = v.looseObject({
  version: v.literal(1),
  login: v.optional(v.unknown()),
  identities: v.optional(v.unknown()),
});

/**
 * A stored login of a human: `{authority, account_id, user_id, kind, proof, access_token, ephemeral_seconds?, logged_in_at}`.
 * `access_token` is secret; `ephemeral_seconds`: the login is for one job, as `HumanAuth.ephemeralSeconds`.
 */
export type StoredHumanLogin = Readonly<v.InferOutput<typeof storedHumanLoginSchema>>;

/**
 * A stored login by identity JWT: `{authority, account_id, user_id, kind, identity_token, issuer?, audience?, key_set_url?, key_set?,
 * logged_in_at}`. `identity_token` is secret: it holds the agent's private key.
 */
export type StoredIdentityJwtLogin = Readonly<v.InferOutput<typeof storedIdentityJwtLoginSchema>>;

/** A stored login, of a human or by identity JWT. */
export type StoredLogin = StoredHumanLogin | StoredIdentityJwtLogin;

/**
 * A stored identity. `private_key` (base64 of PKCS#8) is secret; `public_key`, an OpenSSH line, stands in its place if the private key is kept
 * elsewhere. `pending`: the key is kept, the authority has not answered yet. `next_private_key`, secret too, or `next_public_key`: the key of a
 * rotation that is not known to be finished; `compromised`: that rotation ends the key before it at once. `idempotency_secret` (32 bytes in
 * base64, secret): what idempotency keys are derived from if the signer derives nothing. `former_public_keys`: OpenSSH lines of the keys that
 * this one is known to have replaced, the latest last. `codex_homes`: absolute paths of the Codex homes that the agent was imported from or exported
 * to. `revoked`: its human has ended it from here. `ephemeral`: the authority registered it as ephemeral.
 */
export type StoredIdentity = Readonly<v.InferOutput<typeof storedIdentitySchema>>;
