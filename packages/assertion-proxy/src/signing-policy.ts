import type { IncomingMessage } from "node:http";
import type { AssertionSigner } from "@countersign/agent-assertion";
import type { Credential } from "@countersign/agent-key";
import type { Admission, ProxyPolicy } from "./admission.js";
import type { AuditIdentity } from "./audit-entry.js";
import { createForwardedFields } from "./forwarded-fields.js";
import { authorizationFor, refusalOfSource } from "./signing-authorization.js";
import { type SigningThreads, threadOf } from "./signing-threads.js";

/** What a signing proxy decides by. */
export interface SigningPolicyOptions {
  readonly guard: (request: IncomingMessage) => void;
  /** As `parseThreadHeaders` returns them. */
  readonly threadHeaders: readonly string[];
  readonly threads: SigningThreads;
  readonly signer: AssertionSigner;
  /** The upstream's. */
  readonly origin: string;
  readonly forwardCookies: boolean;
}

// Codex's own field, which its upstream reads too. Any other name of a thread is between the client and this proxy.
const FORWARDED_THREAD_HEADERS: ReadonlySet<string> = new Set(["session-id"]);

/** Makes the policy of the signing proxy: a local program's request, with the credential of its thread in place of the client token. */
export function createSigningPolicy(options: SigningPolicyOptions): ProxyPolicy {
  const { guard, threadHeaders, threads, signer, origin } = options;
  const forwarded = createForwardedFields({
    ownNames: ["x-api-key", ...threadHeaders.filter((name) => !FORWARDED_THREAD_HEADERS.has(name))],
    forwardCookies: options.forwardCookies,
  });

  async function admit(request: IncomingMessage, signal: AbortSignal): Promise<Admission> {
    const { rawHeaders } = request;
    const threadId = threadOf(rawHeaders, threadHeaders);
    try {
      const source = threads.sourceOf(threadId);
      const credential = await source.credential({ signal });
      return {
        fields: [
          ...forwarded.ofHeader(rawHeaders),
          ...["authorization", authorizationFor(credential, origin, signer)],
        ],
        keepTrailer: forwarded.trailersOf(rawHeaders),
        identity: identityOf(credential),
      };
    } catch (error) {
      throw refusalOfSource(error);
    }
  }

  return { guard, admit };
}

function identityOf(credential: Credential): AuditIdentity {
  if (credential.kind !== "agent") return {};
  return { agent_runtime_id: credential.agentRuntimeId, task_id: credential.taskId };
}
