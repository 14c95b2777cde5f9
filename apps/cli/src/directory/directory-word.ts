import type { AgentRecord } from "@countersign/agent-assertion";
import { CountersignError, isLoopbackHost } from "@countersign/agent-key";
import * as z from "zod";
import type { Run } from "../config/run.js";

// The place where an API description (OpenAPI 3.1) says which credentials a look-up of an agent takes. `{}` means: no credential.
const LOOKUP_PATH = "/v1/agent/{agent_runtime_id}";
const descriptionSchema = z.object({
  paths: z.object({
    [LOOKUP_PATH]: z.object({
      get: z.object({ security: z.array(z.record(z.string(), z.unknown())) }),
    }),
  }),
});

/** What the authority's directory says of an agent. `untold`: it requires a token of role `resource_server`. */
export type DirectoryWord =
  | { readonly kind: "known"; readonly record: AgentRecord }
  | { readonly kind: "unknown" }
  | { readonly kind: "untold" };

/**
 * Returns whether an authority's directory may answer without a credential: only on loopback (protocol §5.8), and only if the authority's
 * API description requires no token. In every other case a question would only leave a refusal in the authority's audit log.
 *
 * @throws {AuthorityError} `cancelled` if the run is cancelled
 */
export async function mayTellAnyone(run: Run, authority: string): Promise<boolean> {
  return isLoopbackHost(new URL(authority).hostname) && !(await isSaidClosed(run, authority));
}

// An authority without a description says nothing, and is asked.
async function isSaidClosed({ asking, signal }: Run, authority: string): Promise<boolean> {
  const { AuthorityClient, AuthorityError } = await import(
    "@countersign/agent-identity/authority-client"
  );
  const client = new AuthorityClient({ authority, ...asking });
  try {
    const { body } = await client.request({ method: "GET", path: "/openapi.json" }, { signal });
    const found = descriptionSchema.safeParse(body);
    const security = found.data?.paths[LOOKUP_PATH].get.security ?? [];
    // An empty list asks for no credential, as an empty alternative does.
    return security.length > 0 && security.every((it) => Object.keys(it).length > 0);
  } catch (error) {
    if (!AuthorityError.is(error) || error.code === "cancelled") throw error;
    return false;
  }
}

/**
 * Asks an authority's directory for an agent and its keys, the newest first, without a credential. A directory that requires one is not asked.
 *
 * @throws {AgentAssertionError} if the authority cannot be reached or does not answer as one
 */
export async function askDirectory(
  run: Run,
  authority: string,
  agentRuntimeId: string,
): Promise<DirectoryWord> {
  const { http, signal } = run;
  if (!(await mayTellAnyone(run, authority))) return { kind: "untold" };
  const { remoteDirectory } = await import("@countersign/agent-assertion/remote-directory");
  const directory = remoteDirectory(authority, { revocationDelaySeconds: 0, ...http });
  try {
    const record = await directory.agent(agentRuntimeId, { signal });
    return record === undefined ? { kind: "unknown" } : { kind: "known", record };
  } catch (error) {
    const isClosed =
      CountersignError.is(error) &&
      (error.code === "unauthenticated" || error.code === "forbidden");
    if (isClosed) return { kind: "untold" };
    throw error;
  } finally {
    await directory.close?.();
  }
}
