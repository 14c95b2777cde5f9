import { Counter, Gauge, type Registry } from "prom-client";

/** Entries of an audit that are not written. */
export interface AuditLines {
  /** Entries that never will be. It only grows. */
  readonly lost: number;
  /** Entries that wait to be written. */
  readonly waiting: number;
  /** Milliseconds since the oldest of them was made; 0 if none waits. */
  readonly oldestMs: number;
}

/**
 * How a directory answers.
 *
 * - `fresh`: it answered the last question
 * - `stale`: it does not answer, and its earlier answers may still be used
 * - `unreachable`: it does not answer, and no earlier answer may be used
 * - `refused`: it refuses the token
 */
export const DIRECTORY_STATES = ["fresh", "stale", "unreachable", "refused"] as const;
export type DirectoryState = (typeof DIRECTORY_STATES)[number];

/** A directory, as far as figures go. */
export interface DirectoryFigures {
  readonly state: DirectoryState;
  /** How many agents and tasks it keeps; absent for one that keeps none. */
  readonly kept?: { readonly agents: number; readonly tasks: number } | undefined;
}

/**
 * What a proxy presents, and what may end.
 *
 * - `directory_token`: to the authority's directory
 * - `upstream`: to the upstream; of several the one that ends first
 * - `login`: to the authority, to register an agent
 */
export const CREDENTIALS = ["directory_token", "upstream", "login"] as const;

/** When credentials end, epoch milliseconds. Absent: the proxy has none, or cannot know. */
export type CredentialEnds = {
  readonly [name in (typeof CREDENTIALS)[number]]?: number | undefined;
};

/** What a figure reads. */
type Read<T> = () => T;

/** The figures of an audit's lines. */
export function registerAuditFigures(registers: Registry[], read: Read<AuditLines>): void {
  new Counter({
    name: "countersign_proxy_audit_lost_total",
    help: "Entries of the audit that never will be written.",
    registers,
    collect() {
      this.reset();
      this.inc(read().lost);
    },
  });
  new Gauge({
    name: "countersign_proxy_audit_waiting",
    help: "Entries of the audit that wait to be written.",
    registers,
    collect() {
      this.set(read().waiting);
    },
  });
  new Gauge({
    name: "countersign_proxy_audit_oldest_seconds",
    help: "Age of the oldest entry of the audit that waits to be written; 0 if none waits.",
    registers,
    collect() {
      this.set(read().oldestMs / 1_000);
    },
  });
}

/** The figures of a directory. */
export function registerDirectoryFigures(
  registers: Registry[],
  read: Read<DirectoryFigures>,
): void {
  new Gauge({
    name: "countersign_proxy_directory_state",
    help: "1 for the state that the directory of agents and tasks is in, 0 for the others.",
    labelNames: ["state"] as const,
    registers,
    collect() {
      const current = read().state;
      for (const state of DIRECTORY_STATES) this.set({ state }, state === current ? 1 : 0);
    },
  });
  new Gauge({
    name: "countersign_proxy_directory_records",
    help: "Agents and tasks that the directory keeps.",
    labelNames: ["about"] as const,
    registers,
    collect() {
      const { kept } = read();
      if (kept === undefined) return;
      this.set({ about: "agent" }, kept.agents);
      this.set({ about: "task" }, kept.tasks);
    },
  });
}

/** The figure of credentials that end. */
export function registerCredentialFigures(
  registers: Registry[],
  read: Read<CredentialEnds | Promise<CredentialEnds>>,
  now: () => number = Date.now,
): void {
  new Gauge({
    name: "countersign_proxy_credential_expires_in_seconds",
    help: "Time until a credential of the proxy ends; negative after that.",
    labelNames: ["credential"] as const,
    registers,
    async collect() {
      const ends = await read();
      this.reset();
      for (const credential of CREDENTIALS) {
        const end = ends[credential];
        if (end !== undefined) this.set({ credential }, (end - now()) / 1_000);
      }
    },
  });
}
