import { createLocalJWKSet } from "jose/jwks/local";
import * as z from "zod";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { fetchJson } from "./fetch-json.js";
import { isKeySetUrl } from "./issuer-url.js";
import type { OidcPolicy } from "./oidc-policy.js";

/** What `jose` asks for a key; this one has one key alone, and gives it where it is for the token's algorithm and for signatures. */
export type IssuerKey = ReturnType<typeof createLocalJWKSet>;

/** The public keys of an issuer, by their ids. */
export type IssuerKeys = ReadonlyMap<string, readonly IssuerKey[]>;

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });
const keySetSchema = z.looseObject({ keys: z.array(z.unknown()) });
const publicKeySchema = z
  .looseObject({ kty: z.enum(["RSA", "EC", "OKP"]), kid: z.string().min(1).max(256).optional() })
  // Who publishes the private half has lost it: anybody may have signed with it.
  .refine((key) => !Object.hasOwn(key, "d"));

/**
 * Asks an issuer for its keys, where its configuration or its discovery document says that they are.
 *
 * @throws {AgentAuthorityError} `bad_response`; whatever `fetch` throws without an answer
 * @see OpenID Connect Discovery 1.0 §4
 */
export async function fetchIssuerKeys(
  { issuer, jwksUri }: Pick<OidcPolicy, "issuer" | "jwksUri">,
  signal: AbortSignal,
): Promise<IssuerKeys> {
  const url = jwksUri ?? (await discover(issuer, signal));
  const parsed = keySetSchema.safeParse(await fetchJson(url, signal));
  if (!parsed.success) throw badResponse(`the answer of ${url} is no key set`);
  const keys = new Map<string, IssuerKey[]>();
  // Keys that cannot be used are left out: one of them spoils no other.
  for (const each of parsed.data.keys) {
    const key = publicKeySchema.safeParse(each);
    if (!key.success) continue;
    // No token names the empty id.
    const { kid = "" } = key.data;
    keys.set(kid, [...(keys.get(kid) ?? []), createLocalJWKSet({ keys: [{ ...key.data, kid }] })]);
  }
  return keys;
}

async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const parsed = discoverySchema.safeParse(await fetchJson(url, signal));
  if (!parsed.success) throw badResponse(`the answer of ${url} names no issuer and jwks_uri`);
  const { issuer: named, jwks_uri: jwksUri } = parsed.data;
  if (named !== issuer) throw badResponse(`the answer of ${url} is another issuer's`);
  if (!isKeySetUrl(jwksUri, issuer)) throw badResponse(`the jwks_uri of ${url} is no https URL`);
  return jwksUri;
}

function badResponse(message: string): AgentAuthorityError {
  return new AgentAuthorityError("bad_response", message, {
    hint: "check the issuer's URL, or name its keys by jwksUri",
  });
}
