import { AgentIdentityError } from "../agent-identity-error.js";
import {
  type AgentRevocationResponse,
  agentRevocationPath,
  parseAgentRevocationResponse,
} from "../schema/agent-revocation.js";
import {
  createKeyRotationRequestAsync,
  type KeyRotationResponse,
  keyRotationPath,
  parseKeyRotationResponse,
} from "../schema/key-rotation.js";
import type {
  AuthorityCallOptions,
  AuthorityRequester,
  RotateKeyOptions,
} from "./authority-request.js";

/** Rotates an agent's key. See `AuthorityClient.rotateKey`. */
export async function rotateKey(
  client: AuthorityRequester,
  rotation: RotateKeyOptions,
  options?: AuthorityCallOptions,
): Promise<KeyRotationResponse> {
  const { accessToken, agentRuntimeId, next } = rotation;
  const signed = { ...rotation, authority: client.authority };
  const { signal, deadlineMs = client.deadlineMs } = options ?? {};
  const endsAt = performance.now() + deadlineMs;
  // Each of the two signers may take a quarter of the time, so that one that hangs is found before the time is over.
  const body = await createKeyRotationRequestAsync(signed, rotation, {
    signal,
    deadlineMs: Math.max(1, Math.floor(deadlineMs / 4)),
  });
  const answer = await client.request(
    {
      method: "POST",
      path: keyRotationPath(encodeURIComponent(agentRuntimeId)),
      body,
      human: { accessToken, proof: "bearer" },
      retry: true,
    },
    { ...options, deadlineMs: Math.max(endsAt - performance.now(), 0) },
  );
  const rotated = parseKeyRotationResponse(answer.body);
  const isSame = rotated.agentRuntimeId === agentRuntimeId;
  if (isSame && rotated.publicKey.equals(next.publicKey)) return rotated;
  throw anotherAgent("key rotation");
}

/** Revokes an agent. See `AuthorityClient.revokeAgent`. */
export async function revokeAgent(
  client: AuthorityRequester,
  accessToken: string,
  agentRuntimeId: string,
  options?: AuthorityCallOptions,
): Promise<AgentRevocationResponse> {
  const answer = await client.request(
    {
      method: "POST",
      path: agentRevocationPath(encodeURIComponent(agentRuntimeId)),
      human: { accessToken, proof: "bearer" },
      retry: true,
    },
    options,
  );
  const revoked = parseAgentRevocationResponse(answer.body);
  if (revoked.agentRuntimeId === agentRuntimeId) return revoked;
  throw anotherAgent("revocation");
}

/** The error if an answer is about another agent than the call. */
export function anotherAgent(what: string): AgentIdentityError {
  return new AgentIdentityError(
    "bad_response",
    `the authority answered the ${what} about another agent or key`,
    { hint: "check that the authority's address is right" },
  );
}
