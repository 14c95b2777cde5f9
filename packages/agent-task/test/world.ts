import {
  AgentIdentityManager,
  type AuthSlot,
  type AuthSource,
  type CredentialStore,
  createAuthSlot,
  type HumanAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { pacedBy, startTestAuthority, type TestAuthority, type Wait } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { AgentTaskManager, type AgentTaskManagerOptions } from "../src/agent-task-manager.js";
import { memoryTaskStore } from "../src/store/memory-task-store.js";
import type { TaskStore } from "../src/store/task-store.js";

/** What a test may choose. */
export interface WorldOptions {
  readonly proof?: "bearer" | "biscuit";
  readonly credentials?: CredentialStore;
  /** Use this authority instead of a new one. */
  readonly authority?: TestAuthority;
  /** The account of the human who is logged in. Default `acct-1`. */
  readonly account?: string;
  /** Use this auth instead of the slot. */
  readonly auth?: AuthSource;
  /** Makes the auth to use instead of the slot. */
  readonly authOf?: (authority: string) => AuthSource;
  /** The authority's clock. */
  readonly authorityNow?: () => number;
  /** The client's clock. */
  readonly now?: () => number;
  /** Time for one call of the client with all its attempts. */
  readonly deadlineMs?: number;
  /** Only the deadline bounds the attempts of one call. Default: at most 3, since they do not wait. */
  readonly unbounded?: boolean;
  /** Attempts wait as they do in production. */
  readonly patient?: boolean;
  /** Waits between attempts. Default: not at all. */
  readonly wait?: Wait;
  /** The clock of the client alone. Default `now`. */
  readonly clientNow?: () => number;
}

/** An authority on a real socket, and one user's process beside it. */
export interface World {
  readonly authority: TestAuthority;
  readonly auth: AuthSlot;
  readonly human: HumanAuth;
  readonly flag: { on: boolean };
  readonly identities: AgentIdentityManager;
  /** A store of tasks that managers of this world may share. */
  readonly store: TaskStore;
  /** Makes a manager that is closed when the test ends. */
  tasks(options?: Partial<AgentTaskManagerOptions>): AgentTaskManager;
  /** Lets another human in. */
  login(accountId: string, userId?: string): HumanAuth;
  /** Requests to the authority since the last call. */
  sent(): number;
  /** All requests to the authority. */
  sentSoFar(): number;
}

/** Starts a world that ends with the test. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { proof, now, deadlineMs, unbounded = false } = options;
  const authority = options.authority ?? (await startTestAuthority({ now: options.authorityNow }));
  if (options.authority === undefined) onTestFinished(() => authority.close());
  const login = (accountId: string, userId = "user-1"): HumanAuth => ({
    kind: "human",
    accountId,
    userId,
    accessToken: authority.addHuman({ accountId, userId }),
    proof,
  });
  const human = login(options.account ?? "acct-1");
  const auth = createAuthSlot(human);
  const flag = { on: true };
  const identities = new AgentIdentityManager({
    authority: authority.url,
    auth: options.auth ?? options.authOf?.(authority.url) ?? auth,
    store: options.credentials ?? memoryStore(),
    features: { isEnabled: () => flag.on },
    client: new AuthorityClient({
      authority: authority.url,
      ...(options.patient === true ? {} : pacedBy(options.wait)),
      now: options.clientNow ?? now,
      deadlineMs,
      attempts: unbounded ? undefined : 3,
    }),
    now,
  });
  onTestFinished(() => identities.close());
  let seen = authority.requests.length;
  return {
    authority,
    auth,
    human,
    flag,
    identities,
    login,
    store: memoryTaskStore(),
    tasks(more = {}) {
      const tasks = new AgentTaskManager({ identities, now, ...more });
      onTestFinished(() => tasks.close());
      return tasks;
    },
    sentSoFar: () => authority.requests.length,
    sent() {
      const count = authority.requests.length - seen;
      seen = authority.requests.length;
      return count;
    },
  };
}

/** A fault that answers with a refusal of the protocol. */
export function refusal(status: number, code: string) {
  return {
    kind: "status",
    status,
    headers: { "content-type": "application/problem+json" },
    body: { title: code, status, code },
  } as const;
}

/** A promise and the function that fulfils it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
