import type { AuditIdentity } from "../refusal/audit-entry.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import type { ProxyLimits } from "./proxy-limits.js";
import { Tally } from "./tally.js";

/** Limits of {@link HeldBodies}. */
export type HeldBodiesLimits = Pick<
  ProxyLimits,
  "maxHeldBytes" | "maxRequests" | "maxRequestsPerAccount"
>;

/** One body that is held. */
export interface HeldBody {
  /** Whose it is, if a signature held. */
  readonly caller: AuditIdentity | undefined;
  /** Bytes that are held of it. */
  readonly bytes: number;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * The bytes of bodies that a proxy holds: of all requests, a quarter of them for one agent, and half for one account unless it is the only one that
 * is served. A body that is the only one of its agent, of its account or of all is held however long it is, since its own length is bounded.
 */
export class HeldBodies {
  readonly #most: number;
  readonly #mostOfAccount: number;
  readonly #accounts = new Tally();
  readonly #agents = new Tally();
  #all = 0;

  constructor({ maxHeldBytes, maxRequests, maxRequestsPerAccount }: HeldBodiesLimits) {
    this.#most = maxHeldBytes;
    this.#mostOfAccount =
      maxRequestsPerAccount < maxRequests ? maxHeldBytes / 2 : Number.POSITIVE_INFINITY;
  }

  /**
   * Takes room for more bytes of a body.
   *
   * @throws {RequestRefusal} `rate_limited` if a share is used up; `server_error` if there is no room
   */
  take(body: HeldBody, bytes: number): void {
    const { caller } = body;
    const isOver = (held: number, most: number): boolean =>
      held > body.bytes && held + bytes > most;
    const { agent_runtime_id: agent, account_id: account } = caller ?? {};
    if (agent !== undefined && isOver(this.#agents.of(agent), this.#most / 4)) {
      throw refusal("rate_limited", "too many bytes of bodies of one agent at once", caller);
    }
    if (account !== undefined && isOver(this.#accounts.of(account), this.#mostOfAccount)) {
      throw refusal("rate_limited", "too many bytes of bodies of one account at once", caller);
    }
    if (isOver(this.#all, this.#most)) {
      throw refusal("server_error", "too many bytes of bodies are held at once", caller);
    }
    this.#all += bytes;
    if (agent !== undefined) this.#agents.add(agent, bytes);
    if (account !== undefined) this.#accounts.add(account, bytes);
  }

  /** Gives back what was taken for a body. */
  giveBack({ caller, bytes }: HeldBody): void {
    this.#all -= bytes;
    const { agent_runtime_id: agent, account_id: account } = caller ?? {};
    if (agent !== undefined) this.#agents.remove(agent, bytes);
    if (account !== undefined) this.#accounts.remove(account, bytes);
  }
}

function refusal(
  code: "server_error" | "rate_limited",
  message: string,
  identity: AuditIdentity | undefined,
): RequestRefusal {
  const retryAfterSeconds = RETRY_AFTER_SECONDS;
  return new RequestRefusal(code, message, { retryAfterSeconds, identity, limit: "held_bytes" });
}
