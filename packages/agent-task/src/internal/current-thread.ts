import { AsyncLocalStorage } from "node:async_hooks";
import type {
  Credential,
  CredentialOptions,
  CredentialRefusal,
  CredentialSource,
} from "@countersign/agent-key";
import { AgentTaskError } from "../agent-task-error.js";
import type { AgentThread } from "../agent-thread.js";

/** Options of {@link CurrentThread}. */
export interface CurrentThreadOptions {
  /** Whether the feature is on. */
  readonly isOn: () => boolean;
  /** Gives what a request outside of every thread is sent with while the feature is off: no task is registered then. */
  readonly run: () => AgentThread;
}

/** Is the thread in which a request is made, by the asynchronous context of its caller. */
export class CurrentThread implements CredentialSource {
  readonly #options: CurrentThreadOptions;
  readonly #context = new AsyncLocalStorage<AgentThread>();
  // A transport may tell how a request went from another context: that of its connection, say.
  readonly #threads = new WeakMap<Credential, AgentThread>();

  constructor(options: CurrentThreadOptions) {
    this.#options = options;
  }

  in<T>(thread: AgentThread, work: () => T): T {
    return this.#context.run(thread, work);
  }

  async credential(options?: CredentialOptions): Promise<Credential> {
    const thread = this.#context.getStore() ?? this.#outside();
    const credential = await thread.credential(options);
    this.#threads.set(credential, thread);
    return credential;
  }

  async refused(
    credential: Credential,
    refusal: CredentialRefusal,
    options?: CredentialOptions,
  ): Promise<Credential | undefined> {
    const thread = this.#threads.get(credential);
    const next = await thread?.refused(credential, refusal, options);
    if (thread !== undefined && next !== undefined) this.#threads.set(next, thread);
    return next;
  }

  accepted(credential: Credential, origin: string): void {
    this.#threads.get(credential)?.accepted(credential, origin);
  }

  #outside(): AgentThread {
    const { isOn, run } = this.#options;
    if (!isOn()) return run();
    throw new AgentTaskError("config_invalid", "a request was made outside of every thread", {
      hint: "make it inside of inThread(id, …), or with the source of one thread",
    });
  }
}
