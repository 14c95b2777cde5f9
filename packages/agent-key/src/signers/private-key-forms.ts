import { createPrivateKey, KeyObject } from "node:crypto";
import { AgentKeyError } from "../agent-key-error.js";
import { decodeBase64Url } from "../base64.js";

const PEM = /^\s*-----BEGIN ([A-Z0-9 ]{1,64})-----([A-Za-z0-9+/=\s]*)-----END \1-----\s*$/;
const KEY_BYTES = 32;

/** An Ed25519 private key as a JSON Web Key (RFC 8037 §2). `d` is secret. */
export interface Ed25519Jwk {
  readonly kty?: string | undefined;
  readonly crv?: string | undefined;
  /** The public half, base64url. */
  readonly x?: string | undefined;
  /** The private half, base64url. */
  readonly d?: string | undefined;
}

/**
 * The PKCS#8 form of a private key in PEM, as `AgentKey.importPkcs8` takes it: of one block `PRIVATE KEY`, without a password. What is inside the block is
 * checked by `importPkcs8`.
 *
 * @returns the secret
 * @throws {AgentKeyError} `invalid_key` for anything else; the message says what was found: a password, a public key, a key of another type, an
 * OpenSSH file
 * @see RFC 7468 §10; docs/protocol.md §4
 */
export function pkcs8FromPem(pem: string): string {
  const [, label = "", body = ""] = (typeof pem === "string" ? PEM.exec(pem) : null) ?? [];
  if (label === "PRIVATE KEY") return checkedPkcs8(pem, body.replace(/\s/g, ""));
  if (label === "ENCRYPTED PRIVATE KEY") {
    throw invalid("the PEM key is encrypted with a password", {
      hint: "decrypt it with createPrivateKey({ key, passphrase }) of node:crypto, and give the result to pkcs8FromKeyObject",
    });
  }
  if (label === "OPENSSH PRIVATE KEY") {
    throw invalid("the key is an OpenSSH file, not PKCS#8", {
      hint: "leave it in an ssh-agent and sign with an AgentSigner over it, or convert it to PKCS#8",
    });
  }
  if (label === "PUBLIC KEY") throw publicOnly("the PEM block");
  throw invalid(
    label === ""
      ? "not one PEM block of a private key"
      : `a PEM block "${label}" is no Ed25519 key`,
    { hint: "give exactly one block PRIVATE KEY (PKCS#8)" },
  );
}

/**
 * The PKCS#8 form of a private key that is a JSON Web Key, as `AgentKey.importPkcs8` takes it: `{kty: "OKP", crv: "Ed25519", x, d}`. Other members are
 * not looked at, but `use`, `key_ops` and `alg` must allow EdDSA signatures if they are present.
 *
 * @returns the secret
 * @throws {AgentKeyError} `invalid_key` for anything else, also where `x` belongs to another `d`
 * @see RFC 8037 §2
 */
export function pkcs8FromJwk(jwk: Ed25519Jwk): string {
  if (typeof jwk !== "object" || jwk === null) {
    throw invalid("the JWK must be an object", { hint: "parse its JSON first" });
  }
  const { kty, crv, x, d, use, key_ops, alg } = jwk as Ed25519Jwk & Record<string, unknown>;
  if (kty !== "OKP" || crv !== "Ed25519") {
    throw invalid("the JWK is of another type of key", {
      hint: 'it must have kty "OKP" and crv "Ed25519"',
    });
  }
  if (d === undefined) throw publicOnly("the JWK");
  const signs =
    (use === undefined || use === "sig") &&
    (key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes("sign"))) &&
    (alg === undefined || alg === "EdDSA" || alg === "Ed25519");
  if (!signs) {
    throw invalid("the JWK is not for Ed25519 signatures", {
      hint: "its use, key_ops and alg must allow them, or be left out",
    });
  }
  const key = createPrivateKey({
    key: { kty, crv, d: member("d", d), x: member("x", x) },
    format: "jwk",
  });
  if (key.export({ format: "jwk" }).x === x) return pkcs8FromKeyObject(key);
  throw invalid("the public half belongs to another private key");
}

/**
 * The PKCS#8 form of a private key of `node:crypto`, as `AgentKey.importPkcs8` takes it.
 *
 * @returns the secret
 * @throws {AgentKeyError} `invalid_key` when it is no Ed25519 private key; a `CryptoKey` that cannot be exported is used by an `AgentSigner`
 */
export function pkcs8FromKeyObject(key: KeyObject): string {
  if (!(key instanceof KeyObject)) {
    throw invalid("not a KeyObject of node:crypto", {
      hint: "createPrivateKey makes one; a CryptoKey that cannot be exported is used by an AgentSigner",
    });
  }
  if (key.type === "public") throw publicOnly("the KeyObject");
  if (key.type !== "private" || key.asymmetricKeyType !== "ed25519") {
    throw anotherType(key.asymmetricKeyType ?? key.type);
  }
  return key.export({ format: "der", type: "pkcs8" }).toString("base64");
}

// What importPkcs8 will refuse gets a reason that names the type of key.
function checkedPkcs8(pem: string, base64: string): string {
  const type = typeOfPem(pem);
  if (type === undefined || type === "ed25519") return base64;
  throw anotherType(type);
}

function typeOfPem(pem: string): string | undefined {
  try {
    return createPrivateKey(pem).asymmetricKeyType;
  } catch {
    // importPkcs8 says what is wrong, without the library's words.
    return undefined;
  }
}

function member(name: string, value: unknown): string {
  if (typeof value === "string" && decoded(value)?.length === KEY_BYTES) return value;
  throw invalid(`the member ${name} of the JWK must be 32 bytes in base64url`);
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return decodeBase64Url(text);
  } catch {
    // The caller says what is wrong, without any of the secret.
    return undefined;
  }
}

function publicOnly(what: string): AgentKeyError {
  return invalid(`${what} holds a public key alone`, { hint: "signing needs the private key" });
}

function anotherType(type: string): AgentKeyError {
  return invalid(`a key of the type ${type} is no Ed25519 private key`, {
    hint: "make an Ed25519 key: AgentKey.generate(), or openssl genpkey -algorithm ed25519",
  });
}

function invalid(message: string, options: { hint?: string } = {}): AgentKeyError {
  return new AgentKeyError("invalid_key", message, options);
}
