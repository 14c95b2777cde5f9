import type { AuditIdentity } from "../refusal/audit-entry.js";
import type { LimitName } from "../refusal/proxy-limit-name.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { HeldBodies, type HeldBody } from "./held-bodies.js";
import type { ProxyLimits } from "./proxy-limits.js";
import { Tally } from "./tally.js";

/** The requests in work of one connection. */
export interface ConnectionWork {
  inWork: number;
}

/** Whose share a request takes before its signature held. */
export interface UnverifiedShare {
  /** The client's address, or its network. `undefined`: not known, and without a share. */
  readonly source: string | undefined;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * The places of requests in work. Those whose signature has not held yet have as many of their own as verified ones, half of them for one
 * address: a caller without a key never takes the place of one that has a key. No connection, account or agent takes more than its share.
 */
export class RequestPlaces {
  readonly limits: ProxyLimits;
  readonly addresses = new Tally();
  readonly accounts = new Tally();
  readonly agents = new Tally();
  readonly heldBodies: HeldBodies;
  unverified = 0;
  taken = 0;

  constructor(limits: ProxyLimits) {
    this.limits = limits;
    this.heldBodies = new HeldBodies(limits);
  }

  /**
   * Takes a place for a request that begins.
   *
   * @param share - of a request whose signature is still to be checked. Absent: it has one of the places that verified requests take
   * @throws {RequestRefusal} `server_error` when all places are taken; `rate_limited` when a share is
   */
  take(connection: ConnectionWork, share?: UnverifiedShare): RequestPlace {
    return new RequestPlace(this, connection, share);
  }
}

/** What one request in work takes up. */
export class RequestPlace {
  readonly #places: RequestPlaces;
  readonly #connection: ConnectionWork;
  #state: "unverified" | "taken" | "left";
  #source: string | undefined;
  #account: string | undefined;
  #agent: string | undefined;
  #caller: AuditIdentity | undefined;
  #heldBytes = 0;

  constructor(
    places: RequestPlaces,
    connection: ConnectionWork,
    share: UnverifiedShare | undefined,
  ) {
    this.#places = places;
    this.#connection = connection;
    const { limits, addresses } = places;
    if (connection.inWork >= limits.maxRequestsPerConnection) {
      throw shareIsTaken("connection", "requests_per_connection");
    }
    if (share === undefined) {
      this.#requirePlace();
      places.taken += 1;
      this.#state = "taken";
    } else {
      const { source } = share;
      const largestShare = Math.ceil(limits.maxRequests / 2);
      if (source !== undefined && addresses.of(source) >= largestShare) {
        throw shareIsTaken("address", "unverified_per_address");
      }
      if (places.unverified >= limits.maxRequests) throw allAreTaken("unverified");
      places.unverified += 1;
      if (source !== undefined) addresses.add(source);
      this.#source = source;
      this.#state = "unverified";
    }
    connection.inWork += 1;
  }

  /**
   * Takes a place among verified requests, in the share of the account and of the agent, until the request is over.
   *
   * @throws {RequestRefusal} `server_error` when all places are taken; `rate_limited` when one of these shares is
   */
  verified(caller: AuditIdentity): void {
    if (this.#state !== "unverified") return;
    const { limits, accounts, agents } = this.#places;
    const { account_id: account = "", agent_runtime_id: agent = "" } = caller;
    this.#requirePlace(caller);
    if (agents.of(agent) >= limits.maxRequestsPerAgent) {
      throw shareIsTaken("agent", "requests_per_agent", caller);
    }
    if (accounts.of(account) >= limits.maxRequestsPerAccount) {
      throw shareIsTaken("account", "requests_per_account", caller);
    }
    this.#leaveUnverified();
    this.#state = "taken";
    this.#places.taken += 1;
    agents.add(agent);
    accounts.add(account);
    this.#agent = agent;
    this.#account = account;
    this.#caller = caller;
  }

  /**
   * Takes room for more bytes of the body, until they are released or the request is over.
   *
   * @throws {RequestRefusal} as {@link HeldBodies.take}
   */
  hold(bytes: number): void {
    if (this.#state === "left") return;
    this.#places.heldBodies.take(this.#heldBody, bytes);
    this.#heldBytes += bytes;
  }

  /** Gives back the room for the body. */
  release(): void {
    this.#places.heldBodies.giveBack(this.#heldBody);
    this.#heldBytes = 0;
  }

  /** Gives everything back. */
  leave(): void {
    if (this.#state === "left") return;
    if (this.#state === "unverified") this.#leaveUnverified();
    else this.#places.taken -= 1;
    if (this.#agent !== undefined) this.#places.agents.remove(this.#agent);
    if (this.#account !== undefined) this.#places.accounts.remove(this.#account);
    this.release();
    this.#connection.inWork -= 1;
    this.#state = "left";
  }

  get #heldBody(): HeldBody {
    return { caller: this.#caller, bytes: this.#heldBytes };
  }

  #leaveUnverified(): void {
    this.#places.unverified -= 1;
    if (this.#source !== undefined) this.#places.addresses.remove(this.#source);
  }

  #requirePlace(caller?: AuditIdentity): void {
    const { taken, limits } = this.#places;
    if (taken >= limits.maxRequests) throw allAreTaken("requests", caller);
  }
}

function shareIsTaken(whose: string, limit: LimitName, identity?: AuditIdentity): RequestRefusal {
  return new RequestRefusal("rate_limited", `too many requests of one ${whose} at once`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    identity,
    limit,
  });
}

function allAreTaken(limit: LimitName, identity?: AuditIdentity): RequestRefusal {
  return new RequestRefusal("server_error", "too many requests at once", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    identity,
    limit,
  });
}
