import type { Socket } from "node:net";
import type { LimitName } from "./proxy-limit-name.js";

/** The bounds of a {@link ConnectionPlaces}. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** One open connection. */
export interface ConnectionPlace {
  /** Takes note that a request on it was verified: it is not closed to make room. */
  verified(): void;
}

interface Link {
  readonly makeRoom: () => void;
  older: Link | undefined;
  newer: Link | undefined;
}

/** Connections on which nothing was verified, the oldest first. Links, and no `Set`: what leaves it is not kept by its tables. */
class Unproven {
  #oldest: Link | undefined;
  #newest: Link | undefined;

  /** Closes the oldest one. @returns whether there was one */
  makeRoom(): boolean {
    const oldest = this.#oldest;
    oldest?.makeRoom();
    return oldest !== undefined;
  }

  /** @returns a function that takes it out again */
  add(makeRoom: () => void): () => void {
    const link: Link = { makeRoom, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
    return () => {
      if (link.older === undefined) this.#oldest = link.newer;
      else link.older.newer = link.newer;
      if (link.newer === undefined) this.#newest = link.older;
      else link.newer.older = link.older;
    };
  }
}

interface AddressShare {
  count: number;
  readonly unproven: Unproven;
}

/**
 * The places of connections, in all and by address. When there is none left for a new connection, the oldest one makes room on which no
 * request was ever verified (of the address, where its share is used up): a client that has a key gets in, however many connections are
 * opened by callers that have none. If there is no such connection, the new one is closed.
 */
export class ConnectionPlaces {
  readonly #limits: ConnectionLimits;
  readonly #onLimit: (limit: LimitName) => void;
  readonly #addresses = new Map<string, AddressShare>();
  readonly #unproven = new Unproven();
  #count = 0;

  /** @param onLimit - called for each connection that is closed, with the limit that was reached */
  constructor(limits: ConnectionLimits, onLimit: (limit: LimitName) => void) {
    this.#limits = limits;
    this.#onLimit = onLimit;
  }

  /**
   * Counts a connection until it is closed.
   *
   * @param address - whose share it takes. `undefined`: a trusted proxy's, which has no share and does not make room
   * @returns `undefined` when there was no place, and the connection was closed
   */
  add(socket: Socket, address: string | undefined): ConnectionPlace | undefined {
    if (!this.#findRoom(address)) {
      // Without a word: an answer that is not read holds a connection as well.
      socket.destroy();
      return undefined;
    }
    this.#count += 1;
    const leaveShare = address === undefined ? undefined : this.#takeShare(address);
    let isOpen = true;
    const leave = (): void => {
      if (!isOpen) return;
      isOpen = false;
      verified();
      this.#count -= 1;
      leaveShare?.();
    };
    const makeRoom = (): void => {
      // At once, and not when it is closed: the next newcomer must find another.
      leave();
      socket.destroy();
    };
    const lists = address === undefined ? [] : [this.#unproven, this.#shareOf(address).unproven];
    const leaveLists = lists.map((list) => list.add(makeRoom));
    const verified = (): void => {
      for (const leaveList of leaveLists.splice(0)) leaveList();
    };
    socket.once("close", leave);
    return { verified };
  }

  #findRoom(address: string | undefined): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const share = address === undefined ? undefined : this.#addresses.get(address);
    if (share !== undefined && share.count >= maxConnectionsPerAddress) {
      this.#onLimit("connections_per_address");
      return share.unproven.makeRoom();
    }
    if (this.#count < maxConnections) return true;
    this.#onLimit("connections");
    return this.#unproven.makeRoom();
  }

  /** @returns gives it back */
  #takeShare(address: string): () => void {
    const share = this.#shareOf(address);
    share.count += 1;
    return () => {
      share.count -= 1;
      if (share.count === 0) this.#addresses.delete(address);
    };
  }

  #shareOf(address: string): AddressShare {
    const share = this.#addresses.get(address) ?? { count: 0, unproven: new Unproven() };
    this.#addresses.set(address, share);
    return share;
  }
}
