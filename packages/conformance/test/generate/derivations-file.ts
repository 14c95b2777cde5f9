import { createHmac, hkdfSync } from "node:crypto";
import { KEY_A, KEY_B, type VectorKey } from "./vector-keys.js";

const AUTHORITY = "https://authority.example";

function idempotency(
  name: string,
  scope: string,
  more: Partial<{ key: VectorKey; authority: string; agent: string }> = {},
) {
  const { key = KEY_A, authority = AUTHORITY, agent = "agent-1" } = more;
  const secret = hkdfSync("sha256", key.seed, "", "countersign idempotency v1", 32);
  const text = JSON.stringify([authority, agent, scope]);
  return {
    name,
    private_key_pkcs8_base64: key.pkcs8,
    authority,
    agent_runtime_id: agent,
    scope,
    hmac_key_hex: Buffer.from(secret).toString("hex"),
    text,
    idempotency_key: createHmac("sha256", Buffer.from(secret))
      .update(text, "utf8")
      .digest("base64url"),
  };
}

const refusedScope = (name: string, scope: string) => ({
  name,
  private_key_pkcs8_base64: KEY_A.pkcs8,
  authority: AUTHORITY,
  agent_runtime_id: "agent-1",
  scope,
  idempotency_key: null,
});
/** What E-2 leaves as it is. */
const UNESCAPED = /^[A-Za-z0-9\-_.!~*'()]$/;
const segment = (id: string) => ({
  id,
  segment: [...id]
    .map((char) =>
      UNESCAPED.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    .join(""),
});
const url = (value: string, normalised: string | null) => ({ value, normalised });

/** What is computed from configuration and keys: normalised URLs, URLs of key sets, idempotency keys. */
export const derivationsFile = {
  form: "countersign.derivations/1",
  description:
    "base_urls: the normalised form of an authority's base URL or a verifier's public URL; null: it is refused (config_invalid). key_set_urls: where the key set of identity JWTs is, by the base URL. path_segments: an id as it stands in a path. idempotency_keys: the Idempotency-Key of the first registration of a scope; null: the scope is refused (invalid_request).",
  base_urls: [
    url("https://authority.example", "https://authority.example"),
    url("https://authority.example/", "https://authority.example"),
    url("https://authority.example///", "https://authority.example"),
    url("https://authority.example/backend-api/", "https://authority.example/backend-api"),
    url("HTTPS://Authority.Example:443/Base", "https://authority.example/Base"),
    url("https://authority.example:8443", "https://authority.example:8443"),
    url("https://authority.example/a/../b", "https://authority.example/b"),
    url("https://authority.example/a b", "https://authority.example/a%20b"),
    url("https://authority.example/%7e", "https://authority.example/%7e"),
    url("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
    url("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
    url("http://localhost", "http://localhost"),
    url("http://[::1]:80/x", "http://[::1]/x"),
    url("http://authority.example", null),
    url("https://user@authority.example", null),
    url("https://authority.example?x", null),
    url("https://authority.example#x", null),
    url("https://authority.example?", "https://authority.example"),
    url("https://authority.example/x#", "https://authority.example/x"),
    url("https://@authority.example", "https://authority.example"),
    url("https://:secret@authority.example", null),
    url("https://localhost.", "https://localhost."),
    url("http://localhost.", null),
    url("http://x.localhost", null),
    url("http://localhost.example", null),
    url("http://127.255.255.254", "http://127.255.255.254"),
    url("http://127.1:80", "http://127.0.0.1"),
    url("http://128.0.0.1", null),
    url("http://[0:0:0::1]", "http://[::1]"),
    url("http://[::2]", null),
    url(" https://authority.example\n", "https://authority.example"),
    url("https:\\\\authority.example\\x", "https://authority.example/x"),
    url("ftp://authority.example", null),
    url("authority.example", null),
    url("", null),
  ],
  key_set_urls: [
    { base: AUTHORITY, url: `${AUTHORITY}/api/codex/agent-identities/jwks` },
    {
      base: `${AUTHORITY}/backend-api`,
      url: `${AUTHORITY}/backend-api/wham/agent-identities/jwks`,
    },
    {
      base: `${AUTHORITY}/backend-api/`,
      url: `${AUTHORITY}/backend-api/wham/agent-identities/jwks`,
    },
    { base: `${AUTHORITY}/api/codex`, url: `${AUTHORITY}/api/codex/agent-identities/jwks` },
    {
      base: `${AUTHORITY}/backend-api/v2`,
      url: `${AUTHORITY}/backend-api/v2/wham/agent-identities/jwks`,
    },
    {
      base: `${AUTHORITY}/api/codex/v2`,
      url: `${AUTHORITY}/api/codex/v2/agent-identities/jwks`,
    },
    {
      base: `${AUTHORITY}/api/codex/backend-api`,
      url: `${AUTHORITY}/api/codex/backend-api/wham/agent-identities/jwks`,
    },
    {
      base: "https://backend-api.example",
      url: "https://backend-api.example/api/codex/agent-identities/jwks",
    },
    { base: `${AUTHORITY}/other`, url: `${AUTHORITY}/other/api/codex/agent-identities/jwks` },
  ],
  path_segments: [
    segment("agent_0198c2f0-7b1e-7000-8000-000000000000"),
    segment("a.b-c_d~e!f*g'h(i)"),
    segment("a$b&c+d,e;f=g@h"),
    segment("a[b]c^d`e{f|g}h"),
    segment("..."),
  ],
  idempotency_keys: [
    idempotency("a thread", "thread-1"),
    idempotency("another thread", "thread-2"),
    idempotency("another key", "thread-1", { key: KEY_B }),
    idempotency("another authority", "thread-1", { authority: `${AUTHORITY}/backend-api` }),
    idempotency("another agent", "thread-1", { agent: "agent-2" }),
    idempotency("characters that JSON escapes", 'a"b\\c/d'),
    idempotency("256 characters of two UTF-16 units each", "\ud83d\ude00".repeat(256)),
    idempotency("spaces and format characters", " a\u200bb "),
    refusedScope("empty", ""),
    refusedScope("257 characters", "t".repeat(257)),
    refusedScope("a line break", "a\nb"),
    refusedScope("a control character beyond ASCII", "a\u0085b"),
    refusedScope("half a surrogate pair", "a\ud83d"),
    idempotency("characters beyond ASCII", "Gespr\u00e4ch \u2028 \ud83d\ude00"),
  ],
};
