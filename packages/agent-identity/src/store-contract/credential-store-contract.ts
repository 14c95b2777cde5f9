import { type ContractCase, type ContractPlace, contractCases } from "@countersign/agent-key";
import type { CredentialStore } from "../credential-store.js";
import { CONTENT_RULES, UNREADABLE_RULES } from "./content-rules.js";
import { LOCK_RULES } from "./lock-rules.js";

type Place = ContractPlace<CredentialStore>;

/** Options of {@link credentialStoreContract}. */
export interface CredentialStoreContractOptions {
  /** Makes an empty place. Called once for each run of a case. */
  readonly start: () => Place | Promise<Place>;
  /**
   * Makes a place whose content cannot be read: a cut-off file, an entry of another program. Default: the case of an unreadable store is left
   * out.
   */
  readonly startUnreadable?: (() => Place | Promise<Place>) | undefined;
}

/**
 * Returns the cases that every {@link CredentialStore} passes, for the tests of a store of your own, with any test runner.
 *
 * Not checked: that a store keeps its content from other users of the machine, that one unreadable member spoils no other, and, because it
 * takes a process that is killed, that what was written survives it.
 *
 * @example
 * for (const { name, run } of credentialStoreContract({ start })) test(name, run);
 */
export function credentialStoreContract(
  options: CredentialStoreContractOptions,
): readonly ContractCase[] {
  const { start, startUnreadable } = options;
  const unreadable =
    startUnreadable === undefined ? [] : contractCases(UNREADABLE_RULES, startUnreadable);
  return [...unreadable, ...contractCases({ ...CONTENT_RULES, ...LOCK_RULES }, start)];
}
