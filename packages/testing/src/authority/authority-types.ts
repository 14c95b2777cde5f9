import type { RecordedRequest } from "../recorded-request.js";
import type { TestIdentityIssuer } from "./identity-issuer.js";
import type { IdentityJwtRequest, TestIdentityJwt } from "./identity-jwt.js";

/** What an authority is asked for. */
export type AuthorityStep =
  | "biscuit"
  | "register_agent"
  | "register_task"
  | "rotate_key"
  | "revoke_agent"
  | "whoami"
  | "directory"
  | "key_set";

/** A request that the test authority received. */
export interface AuthorityRecord extends RecordedRequest {
  /** `undefined`: no path of the protocol. */
  readonly step: AuthorityStep | undefined;
}

/** An agent as the test authority keeps it. */
export interface TestAgent {
  readonly agentRuntimeId: string;
  readonly accountId: string;
  readonly userId: string;
  /** OpenSSH line of the newest key. */
  readonly publicKey: string;
  /** Lines of keys that were rotated away and are valid until the newest is first used. */
  readonly formerKeys: readonly string[];
  /** Lines of keys that were rotated away and have ended. */
  readonly endedKeys: readonly string[];
  /** `issued`: it came with its key in an identity JWT. */
  readonly proof: "bearer" | "biscuit" | "issued";
  readonly abom: unknown;
  readonly capabilities: readonly string[];
  /** As asked for; `undefined`: not asked for. */
  readonly ttl: number | undefined;
  readonly state: "active" | "revoked" | "expired" | "forgotten";
  /** How often its key was registered. */
  readonly registrations: number;
}

/** A task as the test authority keeps it. */
export interface TestTask {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly idempotencyKey: string | undefined;
  /** As the registration that made it had it. */
  readonly threadLabel: unknown;
  readonly state: "active" | "revoked" | "forgotten";
  /** Epoch ms. */
  readonly expiresAt: number | undefined;
}

/** What the authority does instead of, or before, its normal answer. */
export type Fault =
  /** Answers with this status and body. Nothing is performed. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | object;
    }
  /** Answers 200 with this body. Nothing is performed. */
  | {
      readonly kind: "answer";
      readonly body: string | object;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType?: string;
    }
  /** Never answers. */
  | { readonly kind: "hang" }
  /** Ends the connection without an answer. Nothing is performed. */
  | { readonly kind: "reset" }
  /** Answers with a redirect. */
  | { readonly kind: "redirect"; readonly status?: number; readonly location: string }
  /** Waits, then answers normally. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  /** Performs the step, then ends the connection without an answer. */
  | { readonly kind: "lose" };

/** The member in which a task registration is answered. */
export type TaskAnswerMember = "encrypted_task_id" | "encryptedTaskId" | "task_id" | "taskId";

/** What a test authority makes of `plain_task_id`. `unknown`: what an authority does that was made before the member, it ignores it. */
export type PlainTaskIds = "accept" | "refuse" | "unknown";

/** Options of `startTestAuthority`. */
export interface TestAuthorityOptions {
  /** Path before every path of the protocol, for instance `/backend-api`. Default none. */
  readonly basePath?: string | undefined;
  /** Clock, epoch ms. Default `Date.now`. The answers' `Date` follows it. */
  readonly now?: (() => number) | undefined;
}

/** A small working authority that a test can make misbehave. */
export interface TestAuthority extends AsyncDisposable {
  /** Base URL. */
  readonly url: string;
  /** Lets a human in. Returns the access token. */
  addHuman(human: {
    readonly accountId: string;
    readonly userId: string;
    readonly accessToken?: string | undefined;
  }): string;
  /** Signs identity JWTs (generation B). Its keys are at the key set's path below the base URL, for anybody. */
  readonly issuer: TestIdentityIssuer;
  /** Makes an agent with its key, and the identity JWT that carries both. */
  issueIdentityJwt(request: IdentityJwtRequest): TestIdentityJwt;
  /** Refuses a token from now on. */
  removeHuman(accessToken: string): void;
  /** Requests received for each step, faulty ones included. */
  readonly counts: {
    readonly biscuit: number;
    readonly registerAgent: number;
    readonly registerTask: number;
    readonly rotateKey: number;
    readonly revokeAgent: number;
    readonly whoami: number;
    readonly directory: number;
    readonly keySet: number;
  };
  readonly requests: readonly AuthorityRecord[];
  readonly agents: readonly TestAgent[];
  readonly tasks: readonly TestTask[];
  /**
   * Applies to the next `times` requests of that step, after the faults that were given before.
   *
   * @param times - default 1; `Infinity`: until `clearFaults`
   */
  fault(step: AuthorityStep, fault: Fault, times?: number): void;
  clearFaults(): void;
  revokeAgent(agentRuntimeId: string): void;
  /** Takes a revocation back, as the operator can. */
  restoreAgent(agentRuntimeId: string): void;
  expireAgent(agentRuntimeId: string): void;
  /** Removes the agent, as if it had never been registered. Its key may then be registered again. */
  forgetAgent(agentRuntimeId: string): void;
  revokeTask(taskId: string): void;
  forgetTask(taskId: string): void;
  /** Settable. Default `encrypted_task_id`. */
  answerTasks: TaskAnswerMember;
  /** Settable. Default `accept`. */
  plainTaskIds: PlainTaskIds;
  /** Settable. Lifetime of new tasks, sent as `expires_at`. Default `undefined`: tasks do not expire. */
  taskLifetimeSeconds: number | undefined;
  /** Ends every connection and refuses new ones until `start`. It forgets nothing. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}
