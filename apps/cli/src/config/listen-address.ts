import { usageError } from "../text/cli-error.js";

/** Where a server listens. */
export interface ListenAddress {
  /** A host name or an address, an IPv6 one without brackets. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Parses `HOST:PORT`; an IPv6 address stands in brackets.
 *
 * @param option - the option's name, for messages
 * @throws {CliError} `usage` when it is not of that form
 */
export function parseListenAddress(text: string, option = "--listen"): ListenAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw usageError(
      `${option}: "${text}" is not HOST:PORT`,
      "write it as 127.0.0.1:4600 or [::1]:4600",
    );
  }
  return { host, port };
}
