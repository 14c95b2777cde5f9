import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

const ALG = "ES256";
/** The client of the command line. */
export const CLIENT_ID = "countersign";
/** A client with a secret. */
export const CONFIDENTIAL = { clientId: "confidential", secret: "only-in-this-test" } as const;
/** The API that access tokens are JWTs for. */
export const API = "https://authority.example";
/** An API whose access tokens are opaque. */
export const OPAQUE_API = "https://opaque.example";

/** Options of {@link ProviderServer.start}. */
export interface ProviderServerOptions {
  /** Whether it has a device login. Default true. */
  readonly deviceFlow?: boolean;
  /** Seconds that a device code lives. Default 600. */
  readonly codeSeconds?: number;
}

/** `oidc-provider` on a loopback port: an issuer that somebody else wrote, with the pages of its device login. */
export class ProviderServer implements AsyncDisposable {
  readonly issuer: string;
  /** The paths that were asked for. */
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor(server: Server, options: ProviderServerOptions) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const handle = createProvider(this.issuer, options).callback();
    server.on("request", (request, response) => {
      this.requests.push(request.url ?? "");
      void handle(request, response);
    });
  }

  static async start(options: ProviderServerOptions = {}): Promise<ProviderServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ProviderServer(server, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function createProvider(issuer: string, options: ProviderServerOptions): Provider {
  const { deviceFlow = true, codeSeconds = 600 } = options;
  const client = {
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: ALG,
  } as const;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: "key-1", alg: ALG, use: "sig" };
  const life = 600;
  const provider = new Provider(issuer, {
    clients: [
      {
        ...client,
        grant_types: [...client.grant_types],
        redirect_uris: [],
        response_types: [],
        client_id: CLIENT_ID,
        token_endpoint_auth_method: "none",
      },
      {
        ...client,
        grant_types: [...client.grant_types],
        redirect_uris: [],
        response_types: [],
        client_id: CONFIDENTIAL.clientId,
        client_secret: CONFIDENTIAL.secret,
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    jwks: { keys: [jwk as never] },
    cookies: { keys: ["only-in-this-test"] },
    enabledJWA: { idTokenSigningAlgValues: [ALG] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    ttl: {
      AccessToken: life,
      DeviceCode: codeSeconds,
      Grant: life,
      IdToken: life,
      Interaction: life,
      RefreshToken: life,
      Session: life,
    },
    features: {
      deviceFlow: { enabled: deviceFlow },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "register",
          audience: resource,
          accessTokenFormat: resource === API ? "jwt" : "opaque",
          accessTokenTTL: life,
          jwt: { sign: { alg: ALG } },
        }),
      },
    },
  });
  provider.use(async (context, next) => {
    await next();
    // A test need not wait for as long as a person takes.
    if (context.path === "/device/auth" && context.status === 200) {
      Object.assign(context.body as object, { interval: 1 });
    }
  });
  return provider;
}

/** Does what a person does in a browser: opens the page, confirms or denies the code, logs in and consents. */
export async function answerDeviceLogin(
  url: string,
  answer: { readonly login: string } | "deny",
): Promise<void> {
  const cookies = new Map<string, string>();
  const open = async (target: string, form?: Record<string, string>): Promise<Page> => {
    const response = await fetch(target, {
      method: form === undefined ? "GET" : "POST",
      body: form === undefined ? null : new URLSearchParams(form),
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      redirect: "manual",
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location !== null) return open(new URL(location, target).href);
    return readPage(await response.text(), target);
  };
  let page = await open(url);
  for (let steps = 0; page.action !== undefined; steps += 1) {
    if (steps > 5) throw new Error("the device login does not end");
    const { action, fields } = page;
    const isConfirmation = Object.hasOwn(fields, "confirm");
    if (isConfirmation && answer === "deny") {
      await open(action, { ...without(fields, "confirm"), abort: "yes" });
      return;
    }
    const login = answer === "deny" ? "" : answer.login;
    page = await open(action, {
      ...fields,
      ...("login" in fields ? { login, password: "x" } : {}),
    });
  }
  if (!page.text.includes("Sign-in Success")) throw new Error(page.text);
}

interface Page {
  readonly text: string;
  readonly action: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

function readPage(text: string, base: string): Page {
  const action = /<form[^>]*\saction="([^"]*)"/.exec(text)?.[1];
  const fields: Record<string, string> = {};
  for (const [input] of text.matchAll(/<input\b[^>]*>/g)) {
    const name = /\sname="([^"]*)"/.exec(input)?.[1];
    if (name !== undefined) fields[name] = /\svalue="([^"]*)"/.exec(input)?.[1] ?? "";
  }
  return { text, action: action === undefined ? undefined : new URL(action, base).href, fields };
}

function without(fields: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name));
}
