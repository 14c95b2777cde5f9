import { randomUUID } from "node:crypto";
import type { AgentDirectory } from "@countersign/agent-assertion";
import { type Code, CountersignError } from "@countersign/agent-key";
import type { DirectoryState } from "@countersign/assertion-proxy";
import type { LookupResult } from "./directory-outage.js";

const REFUSALS: ReadonlySet<Code> = new Set<Code>(["unauthenticated", "forbidden"]);
// While no request comes, since `/readyz` keeps them away.
const PROBE_MS = 5_000;

/** Options of {@link DirectoryHealth}. */
export interface DirectoryHealthOptions {
  /** How long earlier answers are used while none comes. */
  readonly windowSeconds: number;
  /** Milliseconds that this machine has run, whatever its clock says. Default: those of this process. */
  readonly now?: (() => number) | undefined;
}

/** How a directory answers, by the last question that it was asked. */
export class DirectoryHealth implements Disposable {
  readonly #windowMs: number;
  readonly #now: () => number;
  #answers = false;
  #isRefused = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #directory: AgentDirectory | undefined;

  constructor({ windowSeconds, now = () => performance.now() }: DirectoryHealthOptions) {
    this.#windowMs = windowSeconds * 1_000;
    this.#now = now;
  }

  get state(): DirectoryState {
    if (this.#isRefused) return "refused";
    if (this.#answers) return "fresh";
    return this.#now() < this.#answeredAt + this.#windowMs ? "stale" : "unreachable";
  }

  /** Whether a request can be verified, if only one of an agent that is known. */
  get canVerify(): boolean {
    return this.state === "fresh" || this.state === "stale";
  }

  /** Takes the result of a lookup. */
  readonly note = ({ asked, code }: LookupResult): void => {
    if (!asked) return;
    if (code === undefined) {
      this.#answers = true;
      this.#isRefused = false;
      this.#answeredAt = this.#now();
    } else if (REFUSALS.has(code)) {
      this.#isRefused = true;
    } else {
      // Says nothing about the token. If it is about one record alone, the next answer about another one ends it.
      this.#answers = false;
    }
  };

  /** Asks the directory each 5 seconds while no request can be verified. */
  watch(directory: AgentDirectory): void {
    this.#directory = directory;
    this.#timer ??= setInterval(() => {
      if (!this.canVerify) void this.probe();
    }, PROBE_MS).unref();
  }

  /** Asks the directory that is watched about an agent that does not exist. */
  async probe(): Promise<void> {
    // The result comes to `note`, and is reported as that of any other lookup.
    await this.#directory?.agent(randomUUID()).catch(() => undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Has a health note how a directory answers that does not report its lookups by itself. A failure of any kind is an outage. */
export function noted(directory: AgentDirectory, health: DirectoryHealth): AgentDirectory {
  const note = async <T>(question: Promise<T>): Promise<T> => {
    try {
      const answer = await question;
      health.note({ asked: true });
      return answer;
    } catch (error) {
      if (!isCancelled(error)) health.note({ asked: true, code: "unreachable" });
      throw error;
    }
  };
  return {
    authority: directory.authority,
    agent: (id, options) => note(directory.agent(id, options)),
    task: (agentId, id, options) => note(directory.task(agentId, id, options)),
    noteUse: (agentId, id) => directory.noteUse?.(agentId, id),
  };
}

function isCancelled(error: unknown): boolean {
  return CountersignError.is(error) && error.code === "cancelled";
}
