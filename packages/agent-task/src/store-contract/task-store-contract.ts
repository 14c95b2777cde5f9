import assert from "node:assert/strict";
import { type ContractCase, type ContractPlace, contractCases } from "@countersign/agent-key";
import type { TaskStore } from "../store/task-store.js";
import { LOCK_RULES, LOCKED_RULES } from "./lock-rules.js";
import {
  LIST_RULES,
  REMOVE_RULES,
  type Rules,
  THREAD_RULES,
  UNREADABLE_RULES,
  UNREADABLE_SCOPE,
} from "./thread-rules.js";

/** A member that a {@link TaskStore} need not have. */
export type OptionalTaskStoreMember = "list" | "remove" | "withLock" | "isLocked";

type Place = ContractPlace<TaskStore>;

/** Options of {@link taskStoreContract}. */
export interface TaskStoreContractOptions {
  /** Makes an empty place. Called once for each run of a case. */
  readonly start: () => Place | Promise<Place>;
  /** The optional members that the store has: their cases are added, and a store with more or fewer of them fails. Default: none. */
  readonly members?: readonly OptionalTaskStoreMember[] | undefined;
  /**
   * Makes a place where something that is no thread stands in place of the thread of this scope: a cut-off file, a row that is no JSON.
   * Default: the case of an unreadable thread is left out.
   */
  readonly startUnreadable?: ((scope: string) => Place | Promise<Place>) | undefined;
}

const RULES_OF_MEMBER: Readonly<Record<OptionalTaskStoreMember, Rules>> = {
  list: LIST_RULES,
  remove: REMOVE_RULES,
  withLock: LOCK_RULES,
  isLocked: LOCKED_RULES,
};
const MEMBERS = Object.keys(RULES_OF_MEMBER) as OptionalTaskStoreMember[];

/**
 * Returns the cases that every {@link TaskStore} passes, for the tests of a store of your own, with any test runner.
 *
 * Not checked, because it takes a process that is killed or a machine that is turned off: that a saved thread survives it, and that the lock
 * of a killed process is taken over. Not checked either: `waitMs`, which is for locks of other processes.
 *
 * @example
 * for (const { name, run } of taskStoreContract({ start })) test(name, run);
 */
export function taskStoreContract(options: TaskStoreContractOptions): readonly ContractCase[] {
  const { start, members = [], startUnreadable } = options;
  const unreadable =
    startUnreadable === undefined
      ? []
      : contractCases(UNREADABLE_RULES, () => startUnreadable(UNREADABLE_SCOPE));
  const rules = [
    THREAD_RULES,
    membersRule(members),
    ...members.map((name) => RULES_OF_MEMBER[name]),
  ];
  return [...unreadable, ...rules.flatMap((some) => contractCases(some, start))];
}

function membersRule(members: readonly OptionalTaskStoreMember[]): Rules {
  return {
    "has the optional members that it is said to have, and no others": async ({ open }) => {
      const store = await open();
      const has = MEMBERS.filter((member) => store[member] !== undefined);
      assert.deepEqual(has.toSorted(), members.toSorted());
    },
  };
}
