import { createVerifier, signAssertion } from "@countersign/agent-assertion";
import { databaseDirectory, openStore } from "@countersign/agent-authority";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import type { SeriesRow } from "../harness/row.ts";
import { measureSizes, type SizedContender } from "../harness/series.ts";
import { preparedRequests } from "../servers/prepared-requests.ts";
import { type SeededDatabase, seedDatabase } from "../servers/seeded-database.ts";
import { onStage, type Stage } from "../servers/stage.ts";
import { TASK_COUNTS } from "../servers/task-counts.ts";

const KNOWN_AGENTS = 100;
const READY = 10_000;
// Within what a timestamp may be off (300 s), with time to spare for a slow run.
const SPREAD_SECONDS = 150;

export const row: SeriesRow = {
  kind: "series",
  time: "cpu",
  name: "tasks-verify",
  title: "a verification by the authority's database, from 10 to 1,000,000 tasks, SQLite",
  against: "the smallest database",
  x: "tasks in the database",
  y: "CPU for one verification, µs",
  goal: { limit: "at most", value: 1.3 },
  tooLongForQuick: "1,000,000 tasks must be written",
  measure: (run) =>
    onStage(async (stage) => {
      await using _ = stage;
      const sizes: SizedContender[] = [];
      for (const tasks of TASK_COUNTS) {
        run.progress(`writes ${tasks} tasks`);
        const seed = { tasks, knownAgents: KNOWN_AGENTS };
        const database = stage.own(await seedDatabase("SQLite", seed));
        sizes.push({ x: tasks, contender: { run: await verifications(stage, database) } });
      }
      return await measureSizes(sizes, "cpu", run);
    }),
};

/** Verifies headers that were signed before: of all the known tasks in turn, then of the next second. */
async function verifications(stage: Stage, { url, agents }: SeededDatabase) {
  const store = await openStore(url);
  stage.own({ [Symbol.asyncDispose]: () => store.close() });
  const directory = databaseDirectory(store, "http://localhost");
  const credentials = agents.flatMap(({ id, taskIds, pkcs8 }) => {
    const key = AgentKey.importPkcs8(pkcs8);
    return taskIds.map((taskId) => ({ agentRuntimeId: id, taskId, key }));
  });
  const nowMs = Date.now();
  const header = (turn: number): string => {
    const credential = credentials[turn % credentials.length];
    if (credential === undefined) throw new Error("there is no task");
    const seconds = (Math.floor(turn / credentials.length) % (2 * SPREAD_SECONDS)) - SPREAD_SECONDS;
    const timestamp = formatTimestamp(nowMs + seconds * 1_000);
    return signAssertion({ ...credential, timestamp });
  };
  const take = preparedRequests(
    (count, offset) => Array.from({ length: count }, (_, index) => header(index + offset)),
    READY,
  );
  // Of few tasks there are few headers: a verifier that meets one again has kept its signature.
  const different = credentials.length * 2 * SPREAD_SECONDS;
  let verifier = createVerifier({ directory });
  let verified = 0;
  return async (times: number): Promise<undefined> => {
    for (const each of take(times)) {
      if (verified > 0 && verified % different === 0) verifier = createVerifier({ directory });
      await verifier.verify(each);
      verified += 1;
    }
    return undefined;
  };
}
