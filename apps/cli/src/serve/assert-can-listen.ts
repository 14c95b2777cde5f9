import { createServer } from "node:net";
import type { ListenAddress } from "../config/listen-address.js";
import { isSystemError, reasonOf } from "../home/home.js";
import { CliError } from "../text/cli-error.js";

/**
 * Makes sure that an address can be listened on, so that a command that cannot serve makes no files first. If another program takes the
 * address after this check, the server itself reports it when it listens.
 *
 * @param option - the switch that names the address, for the hint
 * @throws {CliError} `address_in_use`; `config_invalid` if this user may not listen on the address
 */
export async function assertCanListen(
  { host, port }: ListenAddress,
  option = "--listen",
): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    if (isSystemError(error, "EADDRINUSE")) {
      throw new CliError("address_in_use", `another process listens on ${address}`, {
        cause: error,
        hint: `choose another port with ${option}; port 0 takes a free one`,
      });
    }
    throw new CliError("config_invalid", `cannot listen on ${address}: ${reasonOf(error)}`, {
      cause: error,
      hint: "name an address of this machine, and a port that this user may take",
    });
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
