import { signAssertion } from "@countersign/agent-assertion";
import { type AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, expect, it, vi } from "vitest";
import { databaseDirectory } from "../src/index.js";
import { holdTable } from "./hold-table.js";
import { type Answer, TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const MINUTE = 60_000;
// A task is unused for ten minutes, and its end is written up to a minute later than that.
const IDLE = { taskIdleTtlSeconds: 600 };
const LATEST = 11 * MINUTE;

type Options = Parameters<typeof TestedAuthority.start>[0];

function taskIdOf({ body }: Answer, key: AgentKey): string {
  const box = Buffer.from(body.encrypted_task_id, "base64");
  return Buffer.from(openSealedBox(box, key)).toString();
}

async function startWithTask(options: Options) {
  const tested = await TestedAuthority.start(options);
  const { id, key } = await tested.agent();
  // That use of a token is written late as well.
  await tested.useNoted("user-1");
  const headers = { "idempotency-key": "k" };
  const registration = await tested.registerTask(id, key, headers);
  const taskId = taskIdOf(registration, key);
  const token = await tested.token("resource_server");
  const inMs = (ms: number) => formatTimestamp(tested.clock.nowMs + ms);
  const assertion = () => signAssertion({ key, agentRuntimeId: id, taskId, timestamp: inMs(0) });
  return {
    tested,
    registration,
    inMs,
    path: `/v1/agent/${id}/task/${taskId}`,
    transactions: countTransactions(tested),
    // What an operator sees is no use.
    end: async () => (await tested.authority.registry.listTasks())[0]?.expiresAt,
    looks: {
      directory: async () => {
        const { body } = await tested.call("GET", `/v1/agent/${id}/task/${taskId}`);
        return body.task.state;
      },
      databaseDirectory: async () => {
        const directory = databaseDirectory(tested.store, "https://authority.example");
        return (await directory.task(id, taskId))?.state;
      },
      introspection: async () => {
        const { body } = await tested.call("POST", "/v1/assertion/introspect", {
          headers: { authorization: `Bearer ${token}` },
          body: { authorization: assertion() },
        });
        return body.active ? "active" : body.code;
      },
      registration: async () => {
        const again = await tested.registerTask(id, key, headers);
        return taskIdOf(again, key) === taskId ? "active" : "replaced";
      },
    },
  };
}

function countTransactions({ store }: TestedAuthority): () => number {
  let count = 0;
  store.events.observer = {
    transactionEnded: () => {
      count += 1;
    },
    groupCommitted: () => {},
  };
  return () => count;
}

/** Holds the next transaction until the function that it returns is called. */
function holdTransaction({ store }: TestedAuthority): () => void {
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const transact = store.transaction.bind(store);
  vi.spyOn(store, "transaction").mockImplementationOnce(async (work) => {
    await released;
    return await transact(work);
  });
  return resolve;
}

const LOOKS = ["directory", "databaseDirectory", "introspection", "registration"] as const;

describe("with an idle time", () => {
  it.each([
    ["directory", "expired"],
    ["databaseDirectory", "expired"],
    ["introspection", "task_expired"],
    ["registration", "replaced"],
  ] as const)("a task that is not used ends, as the %s shows (G-A42)", async (look, state) => {
    const { tested, looks } = await startWithTask(IDLE);
    await using _ = tested;
    tested.clock.nowMs += LATEST;
    expect(await looks[look]()).toBe(state);
    // A look does not bring it back.
    expect(await looks.directory()).toBe("expired");
  });

  it.each(LOOKS)("a task lives on by each use in time: %s (G-A42)", async (look) => {
    const { tested, looks, end, inMs } = await startWithTask(IDLE);
    await using _ = tested;
    for (let uses = 0; uses < 3; uses += 1) {
      tested.clock.nowMs += 10 * MINUTE;
      expect(await looks[look]()).toBe("active");
      await expect.poll(end).toBe(inMs(LATEST));
    }
    tested.clock.nowMs += LATEST;
    expect(await looks.directory()).toBe("expired");
  });

  it("a verifier is told at once the end that its question gives", async () => {
    const { tested, path, inMs } = await startWithTask(IDLE);
    await using _ = tested;
    tested.clock.nowMs += LATEST - 1_000;
    const { body } = await tested.call("GET", path);
    expect(body.task).toMatchObject({ state: "active", expires_at: inMs(LATEST) });
  });

  it("uses are written once in a tenth of it, together, and after the answer", async () => {
    const { tested, looks, end, inMs, transactions } = await startWithTask(IDLE);
    await using _ = tested;
    const before = transactions();
    const first = await end();
    const write = holdTransaction(tested);
    tested.clock.nowMs += MINUTE - 1_000;
    await looks.directory();
    tested.clock.nowMs += 1_000;
    for (const _ of LOOKS) expect(await looks.directory()).toBe("active");
    expect([transactions(), await end()]).toEqual([before, first]);
    write();
    await expect.poll(end).toBe(inMs(LATEST));
    tested.clock.nowMs += MINUTE - 1_000;
    await looks.databaseDirectory();
    tested.clock.nowMs += 1_000;
    await looks.databaseDirectory();
    await expect.poll(end).toBe(inMs(LATEST));
    await expect.poll(transactions).toBe(before + 2);
  });

  it("no use moves the end of task_ttl, which is the only one that a client is told", async () => {
    const { tested, looks, end, registration } = await startWithTask({
      ...IDLE,
      taskTtlSeconds: 1_200,
    });
    await using _ = tested;
    const last = "2026-04-15T12:20:00Z";
    expect(registration.body.expires_at).toBe(last);
    tested.clock.nowMs += 10 * MINUTE;
    await looks.directory();
    await expect.poll(end).toBe(last);
    tested.clock.nowMs += 10 * MINUTE;
    expect(await looks.directory()).toBe("expired");
    await using other = await TestedAuthority.start(IDLE);
    const { id, key } = await other.agent();
    expect((await other.registerTask(id, key)).body).not.toHaveProperty("expires_at");
  });

  it("a look at a revoked task is no use of it (G-A42)", async () => {
    const { tested, looks, end, path } = await startWithTask(IDLE);
    await using _ = tested;
    const [task] = await tested.authority.registry.listTasks();
    await tested.authority.registry.revokeTask(String(task?.taskId));
    const before = await end();
    tested.clock.nowMs += 10 * MINUTE;
    const { body } = await tested.call("GET", path);
    expect(body.task).toMatchObject({ state: "revoked", expires_at: before });
    expect(await looks.introspection()).toBe("task_revoked");
    expect(await end()).toBe(before);
  });

  it("a look is answered while the database cannot be written, and its use is written later", async () => {
    await using database = await createTestDatabase();
    const { tested, looks, end, inMs } = await startWithTask({ ...IDLE, database: database.url });
    await using _ = tested;
    tested.clock.nowMs += 10 * MINUTE;
    const release = await holdTable(database.url, "tasks");
    for (const look of ["directory", "databaseDirectory", "introspection"] as const) {
      expect(await looks[look]()).toBe("active");
    }
    expect(await end()).not.toBe(inMs(LATEST));
    await release();
    await expect.poll(end).toBe(inMs(LATEST));
  });
});

it("a task that was registered without an idle time keeps its end, and its use is not written", async () => {
  const { tested, looks, end, path, transactions } = await startWithTask({});
  await using _ = tested;
  const before = transactions();
  await using later = await tested.beside(IDLE);
  tested.clock.nowMs += 1_000 * MINUTE;
  expect((await later.call("GET", path)).body.task).not.toHaveProperty("expires_at");
  expect(await looks.databaseDirectory()).toBe("active");
  expect([await end(), transactions()]).toEqual([undefined, before]);
});
