import type { Server } from "node:http";
import type { AddressInfo, ListenOptions as NetListenOptions } from "node:net";
import { numberIn } from "@countersign/agent-key";
import { checkOption } from "../limits/option-checks.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

const PORT = numberIn(0, 65_535, { optional: false });

/** Where a proxy listens. */
export interface ListenOptions {
  /** A host name or address of this machine, for instance `127.0.0.1`. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** A Unix domain socket to listen on. */
export interface SocketListenOptions {
  /** Absolute path in a directory that this user owns and that no other user may enter (0700). */
  readonly socketPath: string;
}

/**
 * Makes a server listen on an address.
 *
 * @returns its base URL, with the port that was taken
 * @throws {AssertionProxyError} `address_in_use`; `config_invalid` for an address that cannot be listened on
 */
export async function listenOn(server: Server, options: ListenOptions): Promise<{ url: string }> {
  const { port } = options;
  checkOption("port", port, PORT);
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  await listen(server, { host: options.host, port }, `${host}:${port}`);
  const address = server.address() as AddressInfo;
  return { url: `http://${host}:${address.port}` };
}

/**
 * Makes a server listen on a Unix domain socket, which goes away with it.
 *
 * @param path - a place for it where nothing is
 * @throws {AssertionProxyError} as {@link listenOn} does
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await listen(server, { path }, path);
}

async function listen(server: Server, where: NetListenOptions, name: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(where, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (cause) {
    throw listenError(name, cause);
  }
}

function listenError(address: string, cause: unknown): AssertionProxyError {
  const inUse = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
  return inUse
    ? new AssertionProxyError("address_in_use", `${address} is taken by another program`, {
        cause,
        hint: "choose another port, or 0 for a free one; or end that program",
      })
    : new AssertionProxyError("config_invalid", `cannot listen on ${address}`, {
        cause,
        hint: "give an address of this machine, and one that this user may use",
      });
}
