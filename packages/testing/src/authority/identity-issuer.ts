import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** How a token is made that should be refused. */
export interface SignTokenOptions {
  /** Members of the header that differ; `undefined` leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** `RS256`: signed by the issuer. `HS256`: with the issuer's public key as the secret. `none`: not at all. Default `RS256`. */
  readonly algorithm?: "RS256" | "HS256" | "none";
}

/** Signs identity JWTs, and publishes the keys they are verified with. */
export interface TestIdentityIssuer {
  /** The id of the key that signs now. */
  readonly kid: string;
  /** The JWK set, with every key that was not withdrawn. */
  readonly keySet: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** Makes a compact JWT of any claims. */
  sign(claims: object, options?: SignTokenOptions): string;
  /** Signs with a new key from now on. The old one stays in the set. */
  rotate(): void;
  /** Takes a key out of the set. */
  withdraw(kid: string): void;
}

interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** Makes an issuer with a key of its own. Its RSA keys are made when they are first needed. */
export function createTestIdentityIssuer(): TestIdentityIssuer {
  const keys: IssuerKey[] = [];
  const withdrawn = new Set<string>();
  const rotate = () => void keys.push(makeKey(`key-${keys.length + 1}`));
  const current = (): IssuerKey => {
    if (keys.length === 0) rotate();
    const key = keys.at(-1);
    if (key === undefined) throw new Error("no key");
    return key;
  };
  return {
    get kid() {
      return current().kid;
    },
    get keySet() {
      current();
      return { keys: keys.filter(({ kid }) => !withdrawn.has(kid)).map(({ jwk }) => jwk) };
    },
    sign(claims, { header = {}, algorithm = "RS256" } = {}) {
      const key = current();
      const text = [{ alg: algorithm, typ: "JWT", kid: key.kid, ...header }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      return `${text}.${signatureOf(text, algorithm, key)}`;
    },
    rotate,
    withdraw: (kid) => void withdrawn.add(kid),
  };
}

function makeKey(kid: string): IssuerKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" };
  return { kid, privateKey, jwk };
}

function signatureOf(text: string, algorithm: string, { privateKey, jwk }: IssuerKey): string {
  switch (algorithm) {
    case "RS256":
      return sign("sha256", Buffer.from(text), privateKey).toString("base64url");
    case "HS256":
      return createHmac("sha256", JSON.stringify(jwk)).update(text).digest("base64url");
    default:
      return "";
  }
}
