import { randomBytes } from "node:crypto";
import type { CredentialSource } from "@countersign/agent-key";
import { checkOption, checkOptions } from "../limits/option-checks.js";
import type { CloseOptions } from "../serve/forwarding-proxy.js";
import { openSigningProxy, type SigningProxy, type SigningProxyOptions } from "./signing-proxy.js";

/** Options of {@link proxyEnv}: its own, and those of `createSigningProxy` that do not say who may use the proxy. */
export interface ProxyEnvOptions
  extends Omit<
    SigningProxyOptions,
    "source" | "clientToken" | "threadHeaders" | "maxThreads" | "allowRemote" | "allowedHosts"
  > {
  /** Base URL of the API without `/v1`, and the only origin that requests are signed for. `https:`, or `http:` to a loopback host. */
  readonly upstream: string;
  /** The environment that the child process would have without the proxy, usually `process.env`. It is not changed. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A signing proxy for the child processes of this program. */
export interface ProxyEnv extends AsyncDisposable {
  /**
   * The environment of a child process, whole: the given one, in which `OPENAI_BASE_URL` and `ANTHROPIC_BASE_URL` name the proxy, and
   * `OPENAI_API_KEY`, `ANTHROPIC_API_KEY` and `ANTHROPIC_AUTH_TOKEN` are its client token. `NO_PROXY` has its address as well. **It is a
   * credential**: a program that has it acts in the thread until the proxy is closed. Nothing that prints this object shows it.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Base URL of the proxy. */
  readonly url: string;
  /** Ends the proxy as `close` of a `SigningProxy` does. Then the environment is worth nothing. */
  close(options?: CloseOptions): Promise<void>;
}

const HOST = "127.0.0.1";
const ENV = { type: "object", expected: "an environment, for instance process.env" } as const;
const SOURCE_METHODS = {
  type: "object",
  members: { credential: "function", refused: "function", accepted: "function" },
  expected: "a thread, for instance tasks.thread(id), or what has one as `credentials`",
} as const;

/**
 * Starts a signing proxy for child processes, each request of which is signed in one thread: agents in other languages, and those that are
 * programs of their own.
 *
 * It listens on a free port of `127.0.0.1`, in this process: it ends with it, however that ends, and does not keep it from ending. Its client
 * token is 256 random bits, made by each call, and stands in the returned environment alone. A program without it gets nothing signed,
 * whichever user it runs as; another program of the same user may be able to read the environment of a child.
 *
 * @param signedBy - the thread: a source of credentials, or what has one as `credentials`, as `connectAgent` gives it
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 * @throws {AgentKeyError} `config_invalid` for the upstream's URL
 */
export async function proxyEnv(
  signedBy: CredentialSource | { readonly credentials: CredentialSource },
  options: ProxyEnvOptions,
): Promise<ProxyEnv> {
  checkOptions(options, { env: ENV });
  const { env, ...others } = options;
  const source = sourceOf(signedBy);
  checkOption("signedBy", source, SOURCE_METHODS);
  const clientToken = randomBytes(32).toString("base64url");
  const { proxy, unref } = openSigningProxy({
    ...others,
    ...{ source: () => source, clientToken },
    ...{ threadHeaders: undefined, maxThreads: undefined },
    ...{ allowRemote: false, allowedHosts: undefined },
  });
  const { url } = await proxy.listen({ host: HOST, port: 0 });
  unref();
  return new ListeningProxyEnv(proxy, url, childEnv(env, url, clientToken));
}

/** Holds the environment where nothing that prints this object finds it. */
class ListeningProxyEnv implements ProxyEnv {
  readonly #proxy: SigningProxy;
  readonly #env: Readonly<Record<string, string>>;
  readonly url: string;

  constructor(proxy: SigningProxy, url: string, env: Readonly<Record<string, string>>) {
    this.#proxy = proxy;
    this.#env = env;
    this.url = url;
  }

  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  close(options?: CloseOptions): Promise<void> {
    return this.#proxy.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function sourceOf(signedBy: CredentialSource | { readonly credentials: CredentialSource }) {
  const isHolder = typeof signedBy === "object" && signedBy !== null && "credentials" in signedBy;
  return isHolder ? signedBy.credentials : signedBy;
}

function childEnv(
  env: ProxyEnvOptions["env"],
  url: string,
  token: string,
): Readonly<Record<string, string>> {
  const given = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  // Otherwise a client would send the token to the proxy that leads out of the network.
  const kept = [...new Set([env.no_proxy, env.NO_PROXY])].filter(Boolean);
  // Alone it means every host; in a list some clients take it for a name.
  const noProxy = kept.includes("*") ? "*" : [...kept, HOST].join(",");
  return {
    ...Object.fromEntries(given),
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: token,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: token,
    // A client that finds this one presents it beside the key.
    ANTHROPIC_AUTH_TOKEN: token,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}
