import { pacedBy, type TestAuthority } from "@countersign/testing";
import { openAuthority } from "@countersign/testing/vitest";
import { onTestFinished } from "vitest";
import { AgentIdentityManager } from "../../src/agent-identity-manager.js";
import type { AgentIdentityManagerOptions } from "../../src/agent-identity-manager-options.js";
import { type AuthSlot, createAuthSlot, type HumanAuth } from "../../src/auth.js";
import { AuthorityClient } from "../../src/client/authority-client.js";
import type { CredentialStore } from "../../src/credential-store.js";
import { memoryStore } from "../../src/store/memory-store.js";

/** What {@link openManager} gives. */
export interface ManagerSetup {
  readonly authority: TestAuthority;
  readonly auth: AuthSlot;
  readonly store: CredentialStore;
  readonly manager: AgentIdentityManager;
  /** Makes another manager over the same store that has the usual time, whatever deadline the first one was given. */
  readonly patient: () => AgentIdentityManager;
  /** Lets a human in and gives its auth. */
  readonly human: (accountId: string, userId: string) => HumanAuth;
  readonly flag: { on: boolean };
}

/** A manager with a slot, logged in as user-1 of acct-1 unless told otherwise; retries do not wait. */
export async function openManager(
  options: Partial<AgentIdentityManagerOptions> & { readonly isLoggedIn?: boolean } = {},
): Promise<ManagerSetup> {
  const authority = await openAuthority();
  const human = (accountId: string, userId: string): HumanAuth => ({
    kind: "human",
    accountId,
    userId,
    accessToken: authority.addHuman({ accountId, userId }),
  });
  const { isLoggedIn = true, ...managerOptions } = options;
  const auth = createAuthSlot(isLoggedIn ? human("acct-1", "user-1") : undefined);
  const store = options.store ?? memoryStore();
  const flag = { on: true };
  // They do not wait, so that no deadline bounds them.
  const client = new AuthorityClient({
    authority: authority.url,
    attempts: 3,
    ...pacedBy(),
  });
  const make = (more: Partial<AgentIdentityManagerOptions> = {}) => {
    const features = { isEnabled: () => flag.on };
    const manager = new AgentIdentityManager({
      ...{ authority: authority.url, auth, store, features, client },
      ...managerOptions,
      ...more,
    });
    onTestFinished(() => manager.close());
    return manager;
  };
  const patient = () => make({ deadlineMs: undefined });
  return { authority, auth, store, manager: make(), patient, human, flag };
}
