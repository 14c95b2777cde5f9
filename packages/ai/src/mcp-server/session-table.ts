import type { VerifiedAssertion } from "@countersign/agent-assertion";
import { LinkedMap } from "@countersign/agent-key";
import type { McpTransport } from "./connection.js";

/** An open session of one agent. */
export interface Session {
  readonly id: string;
  readonly transport: McpTransport;
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly accountId: string;
  /** How many of its requests are open. */
  openRequests: number;
  /** When its last request began or ended, epoch milliseconds. */
  usedAt: number;
}

type Owner = Pick<VerifiedAssertion, "authority" | "agentRuntimeId" | "accountId">;

/** Options of {@link SessionTable}. */
export interface SessionTableOptions {
  readonly maxSessions: number;
  readonly idleMs: number;
  readonly now: () => number;
}

const LONGEST_SWEEP_MS = 60_000;

/**
 * The open sessions, by account and id. If there are too many, the account with the most loses the one that was unused for longest, so that no account
 * ends another's. One with an open request is lost only if all others of the account have one as well.
 */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #byAccount = new Map<string, LinkedMap<string, Session>>();
  #size = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  /** Adds a session of an agent. */
  add(id: string, transport: McpTransport, owner: Owner): void {
    const { authority, agentRuntimeId, accountId } = owner;
    const session: Session = {
      ...{ id, transport, authority, agentRuntimeId, accountId },
      ...{ openRequests: 0, usedAt: this.#options.now() },
    };
    const sessions = this.#byAccount.get(accountId) ?? new LinkedMap<string, Session>();
    this.#byAccount.set(accountId, sessions.set(id, session));
    this.#size += 1;
    this.#forgetWhenClosed(session);
    this.#timer ??= this.#startSweeping();
    if (this.#size > this.#options.maxSessions) this.end(this.#longestUnusedOfMost(session));
  }

  /** Finds a session for a request of an agent. @returns `undefined` if this agent has no such session */
  find(id: string, owner: Owner): Session | undefined {
    const session = this.#byAccount.get(owner.accountId)?.get(id);
    const isOwned =
      session?.agentRuntimeId === owner.agentRuntimeId && session.authority === owner.authority;
    if (!isOwned) return undefined;
    if (!this.#isIdle(session)) return session;
    this.end(session);
    return undefined;
  }

  /** Notes that a request of a session began. @returns what to call when it ended */
  use(session: Session): () => void {
    session.openRequests += 1;
    this.#touch(session);
    return () => {
      session.openRequests -= 1;
      this.#touch(session);
    };
  }

  /** Ends a session: its streams end, and its running tools are told to stop. */
  end(session: Session | undefined): void {
    if (session === undefined) return;
    this.#forget(session);
    // Its own faults are reported to the server's `onerror`.
    session.transport.close().catch(() => undefined);
  }

  /** Ends all sessions of an agent. */
  endOf({ agentRuntimeId, authority, accountId }: Owner): void {
    for (const [, session] of this.#byAccount.get(accountId) ?? []) {
      if (session.agentRuntimeId === agentRuntimeId && session.authority === authority) {
        this.end(session);
      }
    }
  }

  /** Ends all sessions. */
  endAll(): void {
    for (const sessions of this.#byAccount.values()) {
      for (const [, session] of sessions) this.end(session);
    }
  }

  #touch(session: Session): void {
    session.usedAt = this.#options.now();
    const sessions = this.#byAccount.get(session.accountId);
    // It is then the newest of its account.
    if (sessions?.get(session.id) === session) sessions.set(session.id, session);
  }

  #isIdle({ openRequests, usedAt }: Session): boolean {
    return openRequests === 0 && this.#options.now() - usedAt >= this.#options.idleMs;
  }

  #startSweeping(): ReturnType<typeof setInterval> {
    const sweep = (): void => {
      for (const sessions of this.#byAccount.values()) {
        for (const [, session] of sessions) if (this.#isIdle(session)) this.end(session);
      }
    };
    const timer = setInterval(sweep, Math.min(this.#options.idleMs, LONGEST_SWEEP_MS));
    timer.unref();
    return timer;
  }

  #forgetWhenClosed(session: Session): void {
    const { transport } = session;
    const { onclose } = transport;
    transport.onclose = () => {
      this.#forget(session);
      onclose?.call(transport);
    };
  }

  #forget(session: Session): void {
    const sessions = this.#byAccount.get(session.accountId);
    if (sessions?.get(session.id) !== session) return;
    sessions.delete(session.id);
    if (sessions.size === 0) this.#byAccount.delete(session.accountId);
    this.#size -= 1;
    if (this.#size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #longestUnusedOfMost(added: Session): Session | undefined {
    let most: LinkedMap<string, Session> | undefined;
    for (const sessions of this.#byAccount.values()) {
      if (sessions.size > (most?.size ?? 0)) most = sessions;
    }
    let first: Session | undefined;
    for (const [, session] of most ?? []) {
      if (session.openRequests === 0 && session !== added) return session;
      first ??= session;
    }
    return first;
  }
}
