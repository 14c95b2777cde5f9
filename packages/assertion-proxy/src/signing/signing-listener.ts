import { isLoopbackHost } from "@countersign/agent-key";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import type { ListenOptions, SocketListenOptions } from "../serve/listen-on.js";

/** Where a signing proxy listens: an address of this machine, or a Unix domain socket. */
export type SigningListenOptions = ListenOptions | SocketListenOptions;

/** What is known of a listener when its requests are judged. */
export type SigningListener =
  | { readonly kind: "socket" }
  | { readonly kind: "address"; readonly host: string };

/** What decides whether a signing proxy may listen somewhere. */
export interface ListenerRules {
  readonly hasToken: boolean;
  readonly isOpen: boolean;
  readonly allowRemote: boolean;
}

/**
 * Decides whether a signing proxy may listen at a place. Every client that reaches the proxy acts as this machine's agent. File permissions
 * keep other users away from a Unix socket; at an address the client token does.
 *
 * @throws {AssertionProxyError} `config_invalid` for an address without a token, unless `isOpen` allows it; for an address that other machines
 * can reach, unless `allowRemote` allows it and there is a token
 */
export function describeListener(
  options: SigningListenOptions,
  rules: ListenerRules,
): SigningListener {
  if ("socketPath" in options) return { kind: "socket" };
  const { host } = options;
  if (!rules.hasToken && !rules.isOpen) {
    throw new AssertionProxyError("config_invalid", "a signing proxy needs a client token", {
      hint: 'give clientToken, listen on a Unix socket, or open the proxy to every local program with "open"',
    });
  }
  if (!isLoopbackHost(host)) {
    if (!rules.allowRemote) {
      throw new AssertionProxyError("config_invalid", `${host} can be reached by others`, {
        hint: "listen on 127.0.0.1, or allow remote clients by its own option",
      });
    }
    if (!rules.hasToken) {
      throw new AssertionProxyError("config_invalid", "an open proxy may listen on loopback only", {
        hint: "give clientToken: every client that reaches the proxy acts as this machine's agent",
      });
    }
  }
  return { kind: "address", host };
}
