import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AuthorityOptions,
  createAuthority,
  openStore,
  type Registry,
  type TokenRole,
} from "@countersign/agent-authority";
import { onTestFinished } from "vitest";

/** The real authority in this process, on a real socket, with everything that it was asked. */
export interface RealAuthority {
  readonly url: string;
  readonly registry: Registry;
  /** How often it was asked for something so far. */
  count(step: "register_agent" | "register_task" | "whoami" | "directory"): number;
  /** Makes a token of `user-1` of `acct-1`. */
  token(role?: TokenRole): Promise<string>;
}

const STEPS = {
  register_agent: /^POST \/v1\/agent\/register$/,
  register_task: /^POST \/v1\/agent\/[^/]+\/task\/register$/,
  whoami: /^GET \/v1\/whoami$/,
  directory: /^GET \/v1\/agent\//,
} as const;

/** Starts a {@link RealAuthority} that ends with the test. */
export async function startRealAuthority(
  options: Omit<AuthorityOptions, "store"> = {},
): Promise<RealAuthority> {
  const store = await openStore("sqlite::memory:");
  const authority = await createAuthority({ store, ...options });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    authority.handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    await authority.close();
    await store.close();
  });
  const { registry } = authority;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    registry,
    count: (step) => asked.filter((line) => STEPS[step].test(line)).length,
    async token(role = "human") {
      const human = { accountId: "acct-1", userId: "user-1", role, ttlSeconds: 86_400 };
      return (await registry.createAccessToken(human)).token;
    },
  };
}
