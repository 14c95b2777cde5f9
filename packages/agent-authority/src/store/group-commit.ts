import { setImmediate as turn } from "node:timers/promises";
import { CompiledQuery, type Kysely } from "kysely";
import type { Database } from "./database.js";
import type { Transact } from "./transact.js";

type Rows = Kysely<Database>;

/** The work of one caller. It runs inside the group's transaction, and its caller gets one result. */
interface Member {
  /** Returns a function that settles the caller's promise, to be called once the group is on disk. Rejects if the group itself is broken. */
  run(rows: Rows): Promise<() => void>;
  reject(error: unknown): void;
}

const SAVEPOINT = CompiledQuery.raw("savepoint member");
const RELEASE = CompiledQuery.raw("release member");
const ROLL_BACK = CompiledQuery.raw("rollback to member");

// Bounds how long the first of a group waits for its commit.
const MAX_MEMBERS = 128;
// Node accepts one connection in each turn of the event loop, and a group takes one turn: with one turn between two groups, the last of many
// new connections would wait for as many groups. Not taken inside of a group, since it holds the lock of the database.
const TURNS_BETWEEN = 16;

/**
 * Runs transactions of SQLite in groups. The transactions that arrive while one group is written form the next group, which is one commit.
 * Each has a savepoint of its own, so one that fails leaves the others intact. Each caller gets its answer once the whole group is on disk.
 */
export function transactInGroups(
  rows: Rows,
  onCommit: (size: number) => void = () => {},
): Transact {
  const queue: Member[] = [];
  let isWriting = false;

  async function write(): Promise<void> {
    isWriting = true;
    try {
      while (queue.length > 0) {
        // What has arrived with the first of them is still to be read from its sockets.
        for (let count = 0; count < TURNS_BETWEEN; count += 1) await turn();
        const members = queue.splice(0, MAX_MEMBERS);
        if (await commitGroup(rows, members)) onCommit(members.length);
      }
    } finally {
      isWriting = false;
    }
  }

  return (run) =>
    new Promise((resolve, reject) => {
      queue.push({
        run: async (group) => {
          const outcome = await runInSavepoint(group, run);
          return "error" in outcome ? () => reject(outcome.error) : () => resolve(outcome.value);
        },
        reject,
      });
      if (!isWriting) void write();
    });
}

async function commitGroup(rows: Rows, members: readonly Member[]): Promise<boolean> {
  let answers: (() => void)[];
  try {
    answers = await rows.transaction().execute(async (group) => {
      const told: (() => void)[] = [];
      for (const member of members) {
        told.push(await member.run(group));
      }
      return told;
    });
  } catch (error) {
    for (const member of members) member.reject(error);
    return false;
  }
  for (const answer of answers) answer();
  return true;
}

async function runInSavepoint<T>(
  group: Rows,
  run: (rows: Rows) => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  await group.executeQuery(SAVEPOINT);
  try {
    const value = await run(group);
    await group.executeQuery(RELEASE);
    return { value };
  } catch (error) {
    try {
      await group.executeQuery(ROLL_BACK);
      await group.executeQuery(RELEASE);
    } catch {
      // SQLite has rolled back the work of the whole group, for instance because the disk is full.
      throw error;
    }
    return { error };
  }
}
