import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import type { OidcIssuerOptions } from "../src/humans/oidc-issuer-options.js";

/** A key of an issuer. */
export interface IssuerKeyPair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function generateIssuerKey(kid: string, alg = "ES256"): Promise<IssuerKeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

/** What to sign beside, or instead of, what makes a token good. `undefined` takes a member away. */
export interface TokenParts {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: IssuerKeyPair;
}

/** What a path answers instead of what it has. */
export interface IssuerAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Never answers. */
  readonly hangs?: boolean;
}

const DISCOVERY = "/.well-known/openid-configuration";
const KEYS = "/keys";
/** When its tokens are good, epoch milliseconds: the clock that a tested authority starts with. */
export const NOON = Date.UTC(2026, 3, 15, 12, 0, 0);
export const AUDIENCE = "https://authority.example";
export const NOON_SECONDS = NOON / 1000;

/** An issuer on a loopback port which says and signs what a test wants, and remembers what it was asked. */
export class LocalIssuer implements AsyncDisposable {
  readonly url: string;
  readonly requests: string[] = [];
  readonly answers = new Map<string, IssuerAnswer>();
  keys: readonly IssuerKeyPair[];
  readonly #server: Server;

  private constructor(server: Server, key: IssuerKeyPair) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.keys = [key];
    server.on("request", (request, response) => {
      const path = request.url ?? "";
      this.requests.push(path);
      const answer = this.answers.get(path) ?? this.#standard(path);
      if (answer.hangs === true) return;
      response.writeHead(answer.status ?? 200, {
        "content-type": "application/json",
        ...answer.headers,
      });
      response.end(answer.body);
    });
  }

  static async start(): Promise<LocalIssuer> {
    const key = await generateIssuerKey("key-1");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new LocalIssuer(server, key);
  }

  /** Options that take its tokens. */
  options(more: Partial<OidcIssuerOptions> = {}): OidcIssuerOptions {
    return {
      name: "local",
      issuer: this.url,
      audience: AUDIENCE,
      account: "acct-1",
      ...more,
    };
  }

  /** Signs a token that is good at {@link NOON}, but for what the test says. */
  async token({ claims = {}, header = {}, key = this.key }: TokenParts = {}): Promise<string> {
    const payload = {
      iss: this.url,
      aud: AUDIENCE,
      sub: "user-1",
      iat: NOON_SECONDS,
      exp: NOON_SECONDS + 600,
      ...claims,
    };
    const { alg, kid, ...more } = { alg: key.alg, kid: key.kid, ...header };
    return new SignJWT(withoutUndefined(payload))
      .setProtectedHeader({ alg, ...withoutUndefined({ kid, ...more }) })
      .sign(key.privateKey);
  }

  /** The key that it signs with. */
  get key(): IssuerKeyPair {
    const [key] = this.keys;
    if (key === undefined) throw new Error("the issuer has no key");
    return key;
  }

  get keyRequests(): number {
    return this.requests.filter((path) => path === KEYS).length;
  }

  /** Answers everything with this, or as usual. */
  answerAll(answer: IssuerAnswer | undefined): void {
    for (const path of [DISCOVERY, KEYS]) {
      if (answer === undefined) this.answers.delete(path);
      else this.answers.set(path, answer);
    }
  }

  answerDiscovery(members: object): void {
    const body = { issuer: this.url, jwks_uri: this.url + KEYS, ...members };
    this.answers.set(DISCOVERY, { body: JSON.stringify(body) });
  }

  answerKeys(answer: IssuerAnswer | readonly JWK[]): void {
    this.answers.set(
      KEYS,
      Array.isArray(answer) ? { body: JSON.stringify({ keys: answer }) } : (answer as IssuerAnswer),
    );
  }

  #standard(path: string): IssuerAnswer {
    const keys = this.keys.map(({ publicJwk }) => publicJwk);
    if (path === KEYS) return { body: JSON.stringify({ keys }) };
    if (path !== DISCOVERY) return { status: 404, body: "{}" };
    return { body: JSON.stringify({ issuer: this.url, jwks_uri: this.url + KEYS }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as T;
}

/** Encodes a token by hand, for what no library signs. */
export function encodeToken(header: object, claims: object, signature: string | Buffer): string {
  const part = (value: string | Buffer) => Buffer.from(value).toString("base64url");
  return [part(JSON.stringify(header)), part(JSON.stringify(claims)), part(signature)].join(".");
}
