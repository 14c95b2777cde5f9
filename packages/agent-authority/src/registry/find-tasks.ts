import type { TaskEntry } from "../schema/registry-entries.js";
import type { Rows } from "../store/authority-store.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { agentsWithin } from "./find-agents.js";
import { listByIds, listGiven } from "./list-entries.js";
import { listPage } from "./list-page.js";
import { edgeOf, type IdMatch, matches } from "./matching-ids.js";
import { type ShownTask, selectShownTasks, toTaskEntry } from "./operate-tasks.js";
import type { Instant } from "./times.js";

// So many labels are read and sorted here. Beyond it, tasks are picked from all, in the order of their labels.
const FEW = 10_000;

/** The newest tasks with these ids. */
export function findTasks(
  rows: Rows,
  match: IdMatch,
  count: number,
  instant: Instant,
  scope: AccountScope,
): Promise<TaskEntry[]> {
  const ids = () => rows.selectFrom("tasks").select("task_id as id");
  return listByIds<ShownTask, TaskEntry>("desc", undefined, count, {
    // Where all accounts are within, whatever matches is asked for.
    filters:
      scope === undefined
        ? []
        : [
            ids().where(matches("task_id", match)),
            ids().where("agent_runtime_id", "in", agentsWithin(rows, scope)),
          ],
    ...listingOf(rows),
    byId: (_, after = edgeOf("desc"), portion) =>
      selectShownTasks(rows)
        .where(matches("tasks.task_id", match))
        .where("tasks.task_id", "<", after)
        .orderBy("tasks.task_id", "desc")
        .limit(portion)
        .execute(),
    toEntry: (row) => {
      const isMatched =
        "prefix" in match ? row.task_id.startsWith(match.prefix) : match.ids.includes(row.task_id);
      return isMatched && isWithin(scope, row.account_id) ? toTaskEntry(row, instant) : undefined;
    },
  });
}

function listingOf(rows: Rows) {
  return {
    byIds: (ids: readonly string[]) =>
      selectShownTasks(rows).where("tasks.task_id", "in", ids).execute(),
    idOf: (row: ShownTask) => row.task_id,
  };
}

/** Tasks by their thread label, or its beginning: in the order of their labels, so the whole label comes first, and the newest of each. */
export async function findLabelled(
  rows: Rows,
  text: string,
  count: number,
  instant: Instant,
  scope: AccountScope,
): Promise<TaskEntry[]> {
  const toEntry = (row: ShownTask) =>
    isWithin(scope, row.account_id) ? toTaskEntry(row, instant) : undefined;
  const few = scope === undefined ? undefined : await fewLabelled(rows, text, scope);
  if (few === undefined) {
    return await listPage<ShownTask, TaskEntry>(count, {
      read: (last, portion) => readByLabel(rows, text, last, portion),
      toEntry,
    });
  }
  return await listGiven<ShownTask, TaskEntry>(few, count, { ...listingOf(rows), toEntry });
}

/** The tasks with such a label if they are few, otherwise those of the scope if these are few, in the order of their labels. */
async function fewLabelled(
  rows: Rows,
  text: string,
  scope: readonly string[],
): Promise<readonly string[] | undefined> {
  const tasks = () =>
    rows
      .selectFrom("tasks")
      .select(["task_id", "thread_label"])
      .limit(FEW + 1);
  for (const query of [
    tasks().where(matches("thread_label", { prefix: text })),
    tasks().where("agent_runtime_id", "in", agentsWithin(rows, scope)),
  ]) {
    const found = await query.execute();
    if (found.length > FEW) continue;
    return found
      .flatMap(({ task_id: id, thread_label: label }) =>
        label?.startsWith(text) === true ? [{ id, label: Buffer.from(label) }] : [],
      )
      .sort((a, b) => Buffer.compare(a.label, b.label) || (a.id > b.id ? -1 : 1))
      .map(({ id }) => id);
  }
  return undefined;
}

/** Reads what comes after a task: first the rest of its label, so that no statement passes over what was read before. */
async function readByLabel(
  rows: Rows,
  text: string,
  last: ShownTask | undefined,
  count: number,
): Promise<readonly ShownTask[]> {
  const labelled = selectShownTasks(rows)
    .where(matches("tasks.thread_label", { prefix: text }))
    .orderBy("tasks.thread_label", "asc")
    .orderBy("tasks.task_id", "desc");
  if (last === undefined) return await labelled.limit(count).execute();
  const { thread_label: label, task_id: id } = last;
  const same = await selectShownTasks(rows)
    .where("tasks.thread_label", "=", label)
    .where("tasks.task_id", "<", id)
    .orderBy("tasks.task_id", "desc")
    .limit(count)
    .execute();
  if (same.length === count) return same;
  const later = await labelled
    .where("tasks.thread_label", ">", label)
    .limit(count - same.length)
    .execute();
  return [...same, ...later];
}
