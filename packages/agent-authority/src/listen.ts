import type { Server } from "node:http";
import { numberIn } from "@countersign/agent-key";
import { errnoOf } from "@countersign/agent-key/platform-fetch";
import { AgentAuthorityError } from "./agent-authority-error.js";
import type { ListenOptions } from "./authority-types.js";
import { checkOption } from "./option-checks.js";

const PORT = numberIn(0, 65_535, { optional: false });

/** Starts listening. Throws `address_in_use` or `config_invalid`. */
export async function listenOn(server: Server, { host, port }: ListenOptions): Promise<void> {
  checkOption("port", port, PORT);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    throw toListenError(error, `${host.includes(":") ? `[${host}]` : host}:${port}`);
  }
}

/** The base URL of a server that listens. */
export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no TCP listener");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

function toListenError(error: unknown, address: string): AgentAuthorityError {
  if (errnoOf(error) === "EADDRINUSE") {
    return new AgentAuthorityError("address_in_use", `another process listens on ${address}`, {
      cause: error,
      hint: "choose another port; port 0 takes a free one",
    });
  }
  return new AgentAuthorityError("config_invalid", `cannot listen on ${address}`, {
    cause: error,
    hint: "name an address of this machine, and a port that this user may take",
  });
}
