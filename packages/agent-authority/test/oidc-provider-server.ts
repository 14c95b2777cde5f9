import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JWK } from "jose";
import Provider from "oidc-provider";

const CLIENT_ID = "countersign";
const SECRET = "only-in-this-test";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const ALG = "ES256";

/** `oidc-provider` on a loopback port: an issuer that somebody else wrote. */
export class ProviderServer implements AsyncDisposable {
  readonly issuer: string;
  readonly clientId = CLIENT_ID;
  #provider: Provider;
  readonly #server: Server;

  private constructor(server: Server, keys: readonly JWK[]) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#provider = createProvider(this.issuer, keys);
    server.on("request", (request, response) => {
      void this.#provider.callback()(request, response);
    });
  }

  /** @param keys - private keys; the first one signs */
  static async start(keys: readonly JWK[]): Promise<ProviderServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ProviderServer(server, keys);
  }

  /** Restarts it with other keys, as when they are rotated. */
  rotate(keys: readonly JWK[]): void {
    this.#provider = createProvider(this.issuer, keys);
  }

  /** A JWT access token (RFC 9068) of a client, for one resource (RFC 8707). */
  async accessToken(resource: string): Promise<string> {
    const { access_token: token } = await this.#post("/token", {
      grant_type: "client_credentials",
      resource,
    });
    return String(token);
  }

  /** An ID token of somebody who confirmed a device. What the pages of the confirmation do is done to the models. */
  async idToken(accountId: string): Promise<string> {
    const asked = await this.#post("/device/auth", { scope: "openid" });
    const grant = new this.#provider.Grant({ accountId, clientId: CLIENT_ID });
    grant.addOIDCScope("openid");
    const grantId = await grant.save();
    const userCode = String(asked.user_code).replaceAll("-", "");
    const code = await this.#provider.DeviceCode.findByUserCode(userCode);
    if (code === undefined) throw new Error("the provider does not know its code");
    Object.assign(code, { accountId, grantId, scope: "openid", claims: {} });
    await code.save();
    const { id_token: token } = await this.#post("/token", {
      grant_type: DEVICE_GRANT,
      device_code: String(asked.device_code),
    });
    return String(token);
  }

  async #post(path: string, form: Record<string, string>): Promise<Record<string, unknown>> {
    const basic = Buffer.from(`${CLIENT_ID}:${SECRET}`).toString("base64");
    const response = await fetch(this.issuer + path, {
      method: "POST",
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${answer}`);
    return JSON.parse(answer) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function createProvider(issuer: string, keys: readonly JWK[]): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: SECRET,
        grant_types: ["client_credentials", DEVICE_GRANT],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: ALG,
      },
    ],
    jwks: { keys: [...keys] as never },
    cookies: { keys: ["only-in-this-test"] },
    ttl: { AccessToken: 600, ClientCredentials: 600, DeviceCode: 600, Grant: 600, IdToken: 600 },
    enabledJWA: { idTokenSigningAlgValues: [ALG] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "",
          audience: resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: ALG } },
        }),
      },
    },
  });
}
