import { isPrincipalId, isServerId } from "@countersign/agent-key";
import * as z from "zod";
import { publicRsaKeySchema } from "./key-set.js";

const principalId = z.string().refine(isPrincipalId, "not an account or user id");

const storedHumanLoginSchema = z.looseObject({
  authority: z.string().min(1),
  account_id: principalId,
  user_id: principalId,
  kind: z.literal("human"),
  proof: z.enum(["bearer", "biscuit"]),
  access_token: z.string().min(1),
  // Shown to people only. No check uses it, so a wrong value fails nothing.
  logged_in_at: z.string().catch(""),
});

const storedTokenLoginSchema = z.looseObject({
  authority: z.string().min(1),
  account_id: principalId,
  user_id: principalId,
  kind: z.literal("agent"),
  identity_token: z.string().min(1),
  // What the token is held against, where it is not the usual.
  issuer: z.string().min(1).optional(),
  audience: z.string().min(1).optional(),
  key_set_url: z.string().min(1).optional(),
  // Only saves a request; without it one is sent.
  key_set: z
    .looseObject({ keys: z.array(publicRsaKeySchema) })
    .optional()
    .catch(undefined),
  logged_in_at: z.string().catch(""),
});

/** The login of `credentials.json`, by its `kind`. Members it does not know are kept. */
export const storedLoginSchema = z.discriminatedUnion("kind", [
  storedHumanLoginSchema,
  storedTokenLoginSchema,
]);

/** One identity of `credentials.json`. Members it does not know are kept. */
export const storedIdentitySchema = z
  .looseObject({
    authority: z.string().min(1),
    account_id: principalId,
    user_id: principalId,
    private_key: z.string().min(1),
    agent_runtime_id: z.string().refine(isServerId, "not a server's id").optional(),
    state: z.enum(["pending", "registered"]),
    registered_at: z.string().optional().catch(undefined),
    // Never dropped where it cannot be read: it may be the agent's only key by now.
    next_private_key: z.string().min(1).optional(),
    compromised: z.boolean().optional(),
    // Each only adds to what is known; without it a question is asked, or a warning is missing.
    former_public_keys: z.array(z.string()).optional().catch(undefined),
    codex_homes: z.array(z.string()).optional().catch(undefined),
    revoked: z.boolean().optional().catch(undefined),
  })
  .refine(
    (entry) => entry.state === "pending" || entry.agent_runtime_id !== undefined,
    "registered without an agent_runtime_id",
  );

/** The outer form of `credentials.json`; its members are read one by one, so that one unreadable member spoils no other. */
export const credentialsFileSchema = z.looseObject({
  version: z.literal(1),
  login: z.unknown().optional(),
  identities: z.unknown().optional(),
});

/** A stored login of a human: `{authority, account_id, user_id, kind, proof, access_token, logged_in_at}`. `access_token` is secret. */
export type StoredHumanLogin = Readonly<z.infer<typeof storedHumanLoginSchema>>;

/**
 * A stored login by identity token: `{authority, account_id, user_id, kind, identity_token, issuer?, audience?, key_set_url?, key_set?,
 * logged_in_at}`. `identity_token` is secret: it holds the agent's private key.
 */
export type StoredTokenLogin = Readonly<z.infer<typeof storedTokenLoginSchema>>;

/** A stored login, of a human or by identity token. */
export type StoredLogin = StoredHumanLogin | StoredTokenLogin;

/**
 * A stored identity. `private_key` (base64 of PKCS#8) is secret; `pending`: the key is kept, the authority has not answered yet.
 * `next_private_key`, secret too: the key of a rotation that is not known to be finished; `compromised`: that rotation ends the key before it
 * at once. `former_public_keys`: OpenSSH lines of the keys that this one is known to have replaced, the latest last. `codex_homes`: absolute paths
 * of the Codex homes that the agent was imported from or exported to. `revoked`: its human has ended it from here.
 */
export type StoredIdentity = Readonly<z.infer<typeof storedIdentitySchema>>;
