import type { Socket } from "node:net";
import type { LimitName } from "../refusal/proxy-limit-name.js";

/** The bounds of a {@link ConnectionPlaces}. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** One open connection. */
export interface ConnectionPlace {
  /** A request on it was verified: until that is over, it is not closed to make room. */
  began(): void;
  /** That request is over. */
  ended(): void;
}

interface Link {
  readonly makeRoom: () => void;
  older: Link | undefined;
  newer: Link | undefined;
}

/** Connections that may be closed, the oldest first. Links, and no `Set`: what leaves it is not kept by its tables. */
class Closable {
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

/** Connections of all addresses, or of one. */
class Scope {
  count = 0;
  /** No request on them was ever verified. */
  readonly unproven = new Closable();
  /** Verified requests on them are over. */
  readonly idle = new Closable();

  /** Closes one connection. @returns whether there was one that may be closed */
  makeRoom(): boolean {
    return this.unproven.makeRoom() || this.idle.makeRoom();
  }
}

/**
 * The places of connections, in all and by address. When there is none left for a new connection, the oldest one makes room on which no
 * request was ever verified (of the address, where its share is used up), else the one on which verified requests have been over for
 * longest: a client that has a key gets in, however many connections are opened by callers that have none, or left idle by one that has a
 * key. If there is no such connection, the new one is closed.
 */
export class ConnectionPlaces {
  readonly #limits: ConnectionLimits;
  readonly #onLimit: (limit: LimitName) => void;
  readonly #addresses = new Map<string, Scope>();
  readonly #all = new Scope();

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
    const scopes = address === undefined ? [this.#all] : [this.#all, this.#shareOf(address)];
    for (const scope of scopes) scope.count += 1;
    let isOpen = true;
    let inWork = 0;
    const leaveLists: (() => void)[] = [];
    const moveTo = (list: "unproven" | "idle" | undefined): void => {
      for (const leaveList of leaveLists.splice(0)) leaveList();
      // What a trusted proxy needs its connections for is not known.
      if (list === undefined || address === undefined || !isOpen) return;
      for (const scope of scopes) leaveLists.push(scope[list].add(makeRoom));
    };
    const leave = (): void => {
      if (!isOpen) return;
      isOpen = false;
      moveTo(undefined);
      for (const scope of scopes) scope.count -= 1;
      if (address !== undefined && this.#shareOf(address).count === 0) {
        this.#addresses.delete(address);
      }
    };
    const makeRoom = (): void => {
      // At once, and not when it is closed: the next newcomer must find another.
      leave();
      socket.destroy();
    };
    moveTo("unproven");
    socket.once("close", leave);
    return {
      began() {
        inWork += 1;
        moveTo(undefined);
      },
      ended() {
        inWork -= 1;
        if (inWork === 0) moveTo("idle");
      },
    };
  }

  #findRoom(address: string | undefined): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const share = address === undefined ? undefined : this.#addresses.get(address);
    if (share !== undefined && share.count >= maxConnectionsPerAddress) {
      this.#onLimit("connections_per_address");
      return share.makeRoom();
    }
    if (this.#all.count < maxConnections) return true;
    this.#onLimit("connections");
    return this.#all.makeRoom();
  }

  #shareOf(address: string): Scope {
    const share = this.#addresses.get(address) ?? new Scope();
    this.#addresses.set(address, share);
    return share;
  }
}
