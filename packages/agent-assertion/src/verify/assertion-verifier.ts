import type { BindingPolicy } from "../binding/binding-policy.js";
import type { RequestFacts } from "../binding/request-facts.js";
import type { VerifiedAssertion } from "./verified-assertion.js";

/** Whose signature held. */
export interface ProvenCaller {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly accountId: string;
  readonly userId: string;
}

/** Options of {@link AssertionVerifier} calls. */
export interface VerifyOptions {
  /** Gives up waiting for the directory. */
  readonly signal?: AbortSignal | undefined;
  /** The request that the field came with. Needed where the verifier has a `binding`: without it the request counts as unbound. */
  readonly request?: RequestFacts | undefined;
  /**
   * Where the request comes from: the client's address, or its /64 for IPv6. Lookups of agents that were never proven to this verifier are
   * shared out by it. Default: all requests without one share all of them, and one caller may use them up.
   */
  readonly source?: string | undefined;
  /** The id of the request, which the directory is told; see `AgentDirectoryOptions`. Default none. */
  readonly requestId?: string | undefined;
  /** Called once, as soon as the signature held and the agent is live, before anything else is waited for. What it throws is the result. */
  readonly onProven?: ((caller: ProvenCaller) => void) | undefined;
}

/** How a verifier looks at bindings. */
export interface VerifierBinding {
  readonly policy: Exclude<BindingPolicy, "off">;
  /** The longest body that it reads, bytes. */
  readonly maxBodyBytes: number;
}

/** Checks the assertions of one authority's agents. */
export interface AssertionVerifier {
  /** The authority whose agents it accepts. */
  readonly authority: string;
  /** Present where `verify` must be given the `request`. */
  readonly binding: VerifierBinding | undefined;
  /**
   * Checks an `Authorization` field, all checks in the fixed order.
   *
   * @param header - as `parseAssertion` takes it; with Node's `http`, give `request.headersDistinct.authorization`
   * @throws {AssertionRejected} with the code of the first check that fails; when the directory cannot answer, its error passes as it is
   * @throws {TooManyLookups} when it was not checked, since too many others wait for the first lookup of an agent or a task
   * @throws {AgentAssertionError} `server_error` when the replay store cannot take the nonce; `invalid_request` when the body of a bound
   * request is longer than `maxBodyBytes`
   */
  verify(
    header: string | readonly string[] | undefined,
    options?: VerifyOptions,
  ): Promise<VerifiedAssertion>;
  /**
   * Looks again at what can change after a request was accepted: that agent and task are known and live, and policy. For whatever stays
   * open longer than a request: streams and WebSockets. Time, signatures and nonce are not looked at again.
   *
   * @throws {AssertionRejected} `unknown_agent`, `agent_revoked`, `agent_expired`, `unknown_task`, `task_revoked`, `task_expired`, `forbidden`
   */
  recheck(assertion: VerifiedAssertion, options?: VerifyOptions): Promise<void>;
}
