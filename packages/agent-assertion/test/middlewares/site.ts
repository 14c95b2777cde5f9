import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { AssertionVerifier, RefusedAssertion, VerifiedAssertion } from "../../src/index.js";
import type { OnMissing } from "../../src/node.js";
import { exchange, type RawAnswer, type RawRequest } from "./raw-exchange.js";
import { endWithTest } from "./scene.js";

/** What the tests may ask of every framework. */
export interface SiteOptions {
  readonly verifier: AssertionVerifier;
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clientAddress?: (() => string) | undefined;
  readonly onMissing?: OnMissing | undefined;
  readonly onVerified?: ((caller: VerifiedAssertion, request: object) => void) | undefined;
  readonly onRefused?: ((refused: RefusedAssertion, request: object) => void) | undefined;
}

/** A started server: every path below `/mounted` and `/admin` is behind the middleware, which sees it without that prefix if it can. */
export interface Site {
  readonly port: number;
  /** Sends one request, and reads the answer; an upgrade where the site serves upgrades. */
  exchange(request: RawRequest): Promise<RawAnswer>;
  /** How often a handler ran. */
  handled(): number;
}

export interface Framework {
  readonly name: string;
  /** It knows a request by the runtime's `Request` alone, whose URL has been through a URL parser. Default false. */
  readonly isParsed?: boolean;
  /** It serves upgrades, which have no body. Default false. */
  readonly isUpgrade?: boolean;
  start(options: SiteOptions): Promise<Site>;
}

/** The policy of the narrower check. */
export const ADMIN = { capability: "admin" } as const;

/** Starts a server of Node for the test. */
export async function serve(
  server: Server,
  handled: () => number,
  send: typeof exchange = exchange,
): Promise<Site> {
  const port = await listen(server);
  return { port, handled, exchange: (request) => send(port, request) };
}

/** Starts a server for the test. @returns its port */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endWithTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** The agent as the handlers of these tests answer it. */
export function idOf(agent: VerifiedAssertion | undefined): string {
  return agent?.agentRuntimeId ?? "none";
}

/** A target without the prefix that a router takes off. */
export function strip(url = ""): string {
  return url.startsWith("/mounted/") ? url.slice("/mounted".length) : url;
}
