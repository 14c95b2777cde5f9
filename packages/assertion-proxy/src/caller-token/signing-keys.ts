import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
} from "node:crypto";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

/** A public key as JSON Web Key Sets show it (RFC 7517, RFC 8037). */
export interface PublicJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid: string;
  readonly use: "sig";
  readonly alg: "EdDSA";
}

/** A key that signs caller tokens. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
}

/** The keys of caller tokens at one moment. */
export interface SigningKeys {
  /** Returns the key that signs now. */
  current(now: number): SigningKey;
  /** Returns all keys under which a token may be valid now, or soon. */
  published(now: number): readonly PublicJwk[];
}

const KEY_MS = 86_400_000;
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;

/**
 * Makes keys that live in this process alone. A key signs for a day. The next one is published with it, so that an upstream that keeps the
 * keys for some time knows it when it signs; the previous one stays until the last token that it signed is over.
 *
 * @param tokenMs - how long a token is valid, with room for the clocks of upstreams
 */
export function rotatingKeys(tokenMs: number): SigningKeys {
  let previous: SigningKey | undefined;
  let current = makeKey();
  let next = makeKey();
  let since: number | undefined;

  function rotate(now: number): void {
    since ??= now;
    if (now - since < KEY_MS) return;
    previous = current;
    current = next;
    next = makeKey();
    since = now;
  }

  return {
    current(now) {
      rotate(now);
      return current;
    },
    published(now) {
      rotate(now);
      const isOver = now - (since ?? now) > tokenMs;
      const keys = previous === undefined || isOver ? [current, next] : [current, next, previous];
      return keys.map(({ jwk }) => jwk);
    },
  };
}

/**
 * Reads keys that several processes share. The first one signs; the others are published, so that keys can be replaced one after the other.
 *
 * @param pem - one or more Ed25519 keys in PKCS#8, one after the other
 * @throws {AssertionProxyError} `config_invalid` for a text without such a key, or with a private key of another kind or one that is cut off, as
 * in a file that is being written; the message does not show it
 */
export function sharedKeys(pem: string): SigningKeys {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  if (pem.replace(PEM_BLOCK, "").includes("-----")) throw invalidKeys();
  const privateBlocks = blocks.filter((text) => text.includes("PRIVATE KEY"));
  const keys = privateBlocks.map((text) => signingKey(parseKey(text)));
  const [first] = keys;
  if (first === undefined) throw invalidKeys();
  return { current: () => first, published: () => keys.map(({ jwk }) => jwk) };
}

/** Keys of caller tokens that can be replaced by others. */
export interface ReplaceableKeys extends SigningKeys {
  /**
   * Takes shared keys in place of the former ones, which stay published until the last token that they signed is over.
   *
   * @throws {AssertionProxyError} as {@link sharedKeys}; nothing is changed then
   */
  replace(pem: string, now: number): void;
}

/**
 * Makes keys that can be replaced.
 *
 * @param pem - as {@link sharedKeys} takes them; `undefined`: as {@link rotatingKeys} makes them
 * @param tokenMs - as {@link rotatingKeys} takes it
 */
export function replaceableKeys(pem: string | undefined, tokenMs: number): ReplaceableKeys {
  let keys = pem === undefined ? rotatingKeys(tokenMs) : sharedKeys(pem);
  let former: readonly { readonly jwk: PublicJwk; readonly until: number }[] = [];
  return {
    current: (now) => keys.current(now),
    published(now) {
      const known = keys.published(now);
      former = former.filter(({ until }) => now <= until);
      const kept = former.filter(({ jwk }) => !known.some(({ kid }) => kid === jwk.kid));
      return [...known, ...kept.map(({ jwk }) => jwk)];
    },
    replace(other, now) {
      const next = sharedKeys(other);
      const until = now + tokenMs;
      const ended = keys.published(now).map((jwk) => ({ jwk, until }));
      const isEnded = (kid: string) => ended.some(({ jwk }) => jwk.kid === kid);
      former = [...former.filter(({ jwk }) => !isEnded(jwk.kid)), ...ended];
      keys = next;
    },
  };
}

function parseKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Without the cause, which may show a part of the key.
    throw invalidKeys();
  }
  if (key.asymmetricKeyType !== "ed25519") throw invalidKeys();
  return key;
}

function invalidKeys(): AssertionProxyError {
  return new AssertionProxyError("config_invalid", "keys must be Ed25519 keys in PKCS#8 PEM", {
    hint: "for instance: openssl genpkey -algorithm ed25519",
  });
}

function makeKey(): SigningKey {
  return signingKey(generateKeyPairSync("ed25519").privateKey);
}

function signingKey(privateKey: KeyObject): SigningKey {
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  // RFC 7638 §3: the required members in lexicographic order, without blanks.
  const thumbprint = hash("sha256", `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`, "buffer");
  const kid = thumbprint.toString("base64url");
  return { privateKey, jwk: { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" } };
}
