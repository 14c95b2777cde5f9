import { createHook } from "node:async_hooks";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** What a piece of work asked of the system. */
export interface CountedWork {
  /** Calls of `node:fs` and `node:fs/promises`, by the function's name. */
  readonly calls: Readonly<Record<string, number>>;
  /** Resources that Node made, by their type: timers, tasks of the thread pool, sockets. Promises and ticks, which wait for no event, are left out. */
  readonly resources: Readonly<Record<string, number>>;
}

type Functions = Record<string, unknown>;

/**
 * Counts what a piece of work asks of the system. Replaces the functions of `node:fs` while it runs, for the whole process: to be used in a
 * process of its own, with nothing beside it.
 */
export async function countWork(run: () => Promise<unknown>): Promise<CountedWork> {
  const calls: Record<string, number> = {};
  const resources: Record<string, number> = {};
  const restore = [watch(fs as unknown as Functions, calls), watch(promises(), calls)];
  syncBuiltinESMExports();
  const hook = createHook({
    init(_id, type) {
      if (type !== "PROMISE" && type !== "TickObject") add(resources, type);
    },
  }).enable();
  try {
    await run();
  } finally {
    hook.disable();
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  }
  return { calls, resources };
}

function promises(): Functions {
  return fs.promises as unknown as Functions;
}

/** Counts the calls of all functions of a module. @returns what puts them back */
function watch(module: Functions, calls: Record<string, number>): () => void {
  const originals = Object.entries(module).filter(
    ([name, member]) => typeof member === "function" && /^[a-z]/.test(name),
  );
  for (const [name, member] of originals) {
    module[name] = function counted(this: unknown, ...args: unknown[]) {
      add(calls, name);
      return Reflect.apply(member as () => unknown, this, args);
    };
  }
  return () => {
    for (const [name, member] of originals) module[name] = member;
  };
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
