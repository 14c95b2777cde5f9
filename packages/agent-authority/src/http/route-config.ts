import type { RouteOptions } from "fastify";
import type { AuditedRequest } from "../registry/audit-types.js";

/**
 * Which requests of a route are refused once their address has used up its limit.
 *
 * - `all_requests`: every one, before anything of it is looked at. For what takes a human's credential or an agent's signature: a right guess
 *   must get the same answer as a wrong one.
 * - `refused_requests`: only one that fails by itself. For what resource servers and operators ask: a stranger who shares their address must
 *   not be able to take it from them.
 */
export type AddressLimit = "all_requests" | "refused_requests";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the audit log calls a request of this route that is refused; `undefined`: its refusals are in the request log alone. */
    readonly audited: AuditedRequest | undefined;
    readonly addressLimit: AddressLimit;
  }
}

/** For a route that asks for no credential. */
export const OPEN_ROUTE = { audited: undefined, addressLimit: "refused_requests" } as const;

/**
 * Checks that a route states its whole configuration, so that none is served that was forgotten.
 *
 * @throws {TypeError} a member is missing
 */
export function checkRouteConfig({ method, url, config }: RouteOptions): void {
  for (const member of ["audited", "addressLimit"] as const) {
    if (config !== undefined && member in config) continue;
    throw new TypeError(`${method} ${url} must state ${member} in its config`);
  }
}
