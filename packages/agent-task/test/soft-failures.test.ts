import { writeFile } from "node:fs/promises";
import { fileStore } from "@countersign/agent-identity";
import type { Code } from "@countersign/agent-key";
import {
  type AuthorityStep,
  type Fault,
  startTestUpstream,
  temporaryDirectory,
} from "@countersign/testing";
import { expectError, expectRejection } from "@countersign/testing/vitest";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { fileTaskStore } from "../src/store/file-task-store.js";
import type { TaskStore } from "../src/store/task-store.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { recordEvents } from "./record-events.js";
import { refusal, startWorld, type WorldOptions } from "./world.js";

const FOREVER = Number.POSITIVE_INFINITY;
const HUGE = `no\u001b[31m \u202e${"x".repeat(100_000)}`;
const ANOTHER_KEYS_BOX =
  "5Wa45WkJuyyhkUNrMkLdwJifHFhPikGsmpWdp43dwWaQH//NbMrt4rghYVVgOGVLNcnjFov6pik=";

interface Row {
  readonly name: string;
  readonly fault: Fault;
  readonly code: Code;
  /** Whether the error says that a later turn may succeed. */
  readonly retryable: boolean;
  /** How often the step is asked for in one turn. */
  readonly asked: number;
}

function status(code: number, headers: Record<string, string> = {}, body = ""): Fault {
  return { kind: "status", status: code, headers, body };
}

// What any step may answer (protocol §9, §10).
const ANY_STEP: readonly Row[] = [
  { name: "400", fault: status(400), code: "invalid_request", retryable: false, asked: 1 },
  { name: "401", fault: status(401), code: "unauthenticated", retryable: false, asked: 1 },
  { name: "403", fault: status(403), code: "forbidden", retryable: false, asked: 1 },
  {
    name: "403 with Retry-After",
    fault: status(403, { "retry-after": "1" }),
    code: "forbidden",
    retryable: true,
    asked: 1,
  },
  { name: "404", fault: status(404), code: "invalid_request", retryable: false, asked: 1 },
  { name: "418", fault: status(418), code: "refused", retryable: false, asked: 1 },
  { name: "429", fault: status(429), code: "rate_limited", retryable: true, asked: 3 },
  {
    name: "429 with Retry-After beyond the deadline",
    fault: status(429, { "retry-after": "3600" }),
    code: "rate_limited",
    retryable: true,
    asked: 1,
  },
  { name: "500", fault: status(500), code: "server_error", retryable: true, asked: 3 },
  {
    name: "500 with a body of 100 kB",
    fault: status(500, {}, HUGE),
    code: "server_error",
    retryable: true,
    asked: 3,
  },
  {
    name: "a refusal with a code of its own",
    fault: refusal(401, "agent_revoked"),
    code: "agent_revoked",
    retryable: false,
    asked: 1,
  },
  { name: "a reset", fault: { kind: "reset" }, code: "unreachable", retryable: true, asked: 3 },
];

const UNPARSABLE: readonly Fault[] = [
  { kind: "answer", body: '{"task_id":"task_1","agent_runtime_id"' },
  { kind: "answer", body: "" },
  { kind: "answer", body: {} },
  { kind: "answer", body: "[]" },
  { kind: "answer", body: { task_id: "t", agent_runtime_id: "a" }, contentType: "text/html" },
  { kind: "answer", body: `"${"x".repeat(1024 * 1024)}"` },
];

function idsOf(member: string): readonly Fault[] {
  const ids = ["", "..", "../../x", "a:b", "a\nb", "a/b?c#d", "é", "x".repeat(257)];
  return ids.map((id) => ({ kind: "answer", body: { [member]: id } }) as const);
}

function badResponses(faults: readonly Fault[], name: string): readonly Row[] {
  return faults.map((fault, index) => ({
    name: `${name} (${index + 1})`,
    fault,
    code: "bad_response",
    retryable: false,
    asked: 1,
  }));
}

const AGENT_ROWS = [
  ...ANY_STEP,
  ...badResponses(UNPARSABLE, "an answer that is not valid"),
  ...badResponses(idsOf("agent_runtime_id"), "an agent id that is not valid"),
];

const TASK_ROWS = [
  // Of an agent that the authority does not know any more there is no error but a new agent: see authority-refusals.test.ts.
  ...ANY_STEP,
  ...badResponses(UNPARSABLE, "an answer that is not valid"),
  ...badResponses(idsOf("task_id"), "a task id that is not valid"),
  ...badResponses(
    ["", "AAAA", "not base64!", "_-8", ANOTHER_KEYS_BOX].map((box) => ({
      kind: "answer",
      body: { encrypted_task_id: box },
    })),
    "an encrypted task id that does not open",
  ),
  ...badResponses(
    [{ kind: "answer", body: { task_id: "t", expires_at: "2001-01-01T00:00:00Z" } }],
    "a task that has ended",
  ),
];

const BISCUIT_ROWS = [
  ...ANY_STEP,
  ...badResponses(
    [
      { kind: "answer", body: "" },
      { kind: "answer", body: "", headers: { "x-openai-authorization": "" } },
      { kind: "answer", body: "", headers: { "x-openai-authorization": "caf\u00e9" } },
      { kind: "answer", body: "", headers: { "x-openai-authorization": "two words" } },
    ],
    "no biscuit in the header",
  ),
];

const COUNT_OF = {
  biscuit: "biscuit",
  register_agent: "registerAgent",
  register_task: "registerTask",
} as const;

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => void process.on("unhandledRejection", onUnhandled));
afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

/**
 * One row: thread-1 fails softly, another thread's turns succeed at the same time, and thread-1's next turn succeeds.
 *
 * @param registered - whether the agent is registered before; otherwise its own registration is what fails
 */
async function failSoftly(
  row: Row,
  step: keyof typeof COUNT_OF,
  options: WorldOptions & { readonly registered: boolean },
): Promise<void> {
  const world = await startWorld(options);
  const { authority } = world;
  const tasks = world.tasks();
  // Of the same agent where there is one; else of a login beside it.
  const beside = options.registered
    ? tasks
    : (await startWorld({ ...options, authority, account: "acct-2" })).tasks();
  const other = beside.thread("thread-2");
  await other.ensure();
  const before = authority.counts[COUNT_OF[step]];
  authority.fault(step, row.fault, FOREVER);
  const events = recordEvents(tasks);
  const turn = tasks.thread("thread-1").run(async () => "begun");
  const failed = turn.then(
    () => undefined,
    (error: unknown) => error,
  );
  for (let turns = 0; turns < 3; turns += 1) {
    expect(await other.run(async ({ task }) => task?.taskId)).toBe("task_1");
  }
  const error = expectError(await failed, TaskRegistrationError, row.code);
  expect(error).toMatchObject({ scope: "thread-1", retryable: row.retryable });
  expect(error.message.length).toBeLessThan(1000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]/);
  expect(error.message).not.toContain(world.human.accessToken);
  expect(authority.counts[COUNT_OF[step]] - before).toBe(row.asked);
  expect(events.filter(([name]) => name === "failed")).toHaveLength(1);
  expect((await tasks.list()).map(({ scope }) => scope)).not.toContain("thread-1");
  authority.clearFaults();
  expect(await tasks.thread("thread-1").run(async ({ task }) => task?.taskId)).toBe("task_2");
}

describe("a task registration that fails softly", () => {
  for (const proof of ["bearer", "biscuit"] as const) {
    for (const row of TASK_ROWS) {
      it(`${proof}: ${row.name}`, () =>
        failSoftly(row, "register_task", { proof, registered: true }));
    }
  }
});

describe("an agent registration that fails softly", () => {
  for (const proof of ["bearer", "biscuit"] as const) {
    for (const row of AGENT_ROWS) {
      it(`${proof}: ${row.name}`, () =>
        failSoftly(row, "register_agent", { proof, registered: false }));
    }
  }
});

describe("a biscuit that is not had", () => {
  for (const registered of [true, false]) {
    for (const row of BISCUIT_ROWS) {
      const what = registered ? "the task" : "the agent";
      it(`for ${what}: ${row.name}`, () =>
        failSoftly(row, "biscuit", { proof: "biscuit", registered }));
    }
  }
});

const HANGING = [
  ["bearer", "register_agent"],
  ["bearer", "register_task"],
  ["biscuit", "biscuit"],
  ["biscuit", "register_agent"],
  ["biscuit", "register_task"],
] as const;

describe("a step that hangs", () => {
  for (const [proof, step] of HANGING) {
    it(`${proof}: ${step} is a timeout of one thread, and another thread gets its task at the same time`, async () => {
      const world = await startWorld({ proof });
      const { authority } = world;
      const beside = await startWorld({ proof, authority, account: "acct-2" });
      const tasks = world.tasks();
      authority.fault(step, { kind: "hang" });
      const controller = new AbortController();
      const turn = tasks.ensure("thread-1", { signal: controller.signal });
      const given = turn.catch((error: unknown) => error);
      await expect.poll(() => authority.counts[COUNT_OF[step]]).toBe(1);
      expect(await beside.tasks().ensure("thread-2")).toBeDefined();
      expect(authority.tasks).toHaveLength(1);
      controller.abort();
      expect(await given).toBe(controller.signal.reason);
      authority.fault(step, { kind: "hang" }, FOREVER);
      const hurried = world.tasks({ deadlineMs: 300 });
      const error = await expectRejection(
        hurried.ensure("thread-3"),
        TaskRegistrationError,
        "timeout",
      );
      expect(error.retryable).toBe(true);
      authority.clearFaults();
      expect(await tasks.ensure("thread-3")).toBeDefined();
    });
  }

  it("once takes half of the time, and the attempt after it has the rest", async () => {
    await Promise.all(
      HANGING.map(async ([proof, step]) => {
        const world = await startWorld({ proof, deadlineMs: 10_000 });
        world.authority.fault(step, { kind: "hang" });
        const tasks = world.tasks({ deadlineMs: 10_000 });
        expect((await tasks.ensure("thread-1"))?.taskId, step).toBe("task_1");
        expect(world.authority.agents, step).toHaveLength(1);
      }),
    );
  });
});

describe("a redirect of the authority", () => {
  for (const step of ["biscuit", "register_agent", "register_task"] as const) {
    it(`at ${step} is never followed: the other origin receives nothing`, async () => {
      const elsewhere = await startTestUpstream();
      onTestFinished(() => elsewhere.close());
      for (const code of [301, 302, 303, 307, 308]) {
        const fault = { kind: "redirect", status: code, location: elsewhere.url } as const;
        const row = { name: "", fault, code: "bad_response", retryable: false, asked: 1 } as const;
        const registered = step === "register_task";
        await failSoftly(row, step, { proof: "biscuit", registered });
      }
      expect(elsewhere.requests).toEqual([]);
    });
  }
});

describe("an authority that fails once", () => {
  const passing = [
    status(429, { "retry-after": "0" }),
    status(503),
    { kind: "reset" },
    { kind: "lose" },
  ] as const satisfies readonly Fault[];
  for (const step of ["biscuit", "register_agent", "register_task"] as const) {
    it(`at ${step} is not noticed: one agent, one task, and no trace of a prewarm`, async () => {
      for (const fault of passing) {
        // A biscuit is spent or lost with its answer, so nothing is performed twice there.
        const world = await startWorld({ proof: "biscuit" });
        const tasks = world.tasks();
        const events = recordEvents(tasks);
        world.authority.fault(step, fault);
        tasks.prewarm("thread-1");
        expect(await tasks.thread("thread-1").run(async ({ task }) => task?.taskId)).toBe("task_1");
        expect(world.authority.agents).toHaveLength(1);
        expect(world.authority.tasks).toHaveLength(1);
        expect(events.map(([name]) => name)).not.toContain("failed");
      }
    });
  }
});

describe("a prewarm that failed for whatever reason", () => {
  it("leaves no trace on the turn that registers after it", async () => {
    const steps: readonly (readonly [AuthorityStep, readonly Row[]])[] = [
      ["biscuit", BISCUIT_ROWS],
      ["register_agent", AGENT_ROWS],
      ["register_task", TASK_ROWS],
    ];
    for (const [step, rows] of steps) {
      for (const row of rows) {
        const world = await startWorld({ proof: "biscuit" });
        const tasks = world.tasks();
        const events = recordEvents(tasks);
        world.authority.fault(step, row.fault, row.asked);
        tasks.prewarm("thread-1");
        const turn = await tasks.thread("thread-1").run(async (given) => given);
        expect(turn.credential).toMatchObject({ kind: "agent", taskId: "task_1" });
        const failures = events.filter(([name]) => name === "failed");
        expect(failures, `${step}: ${row.name}`).toEqual([
          ["failed", expect.objectContaining({ prewarm: true })],
        ]);
        expect(events.at(-1)?.[0]).toBe("registered");
      }
    }
  });
});

describe("a home that cannot be written", () => {
  it("is store_denied with a remedy, and registers nothing, run after run", async () => {
    const home = await temporaryDirectory();
    onTestFinished(() => home[Symbol.asyncDispose]());
    await writeFile(`${home.path}/file`, "");
    for (let run = 0; run < 3; run += 1) {
      const world = await startWorld({ credentials: fileStore(`${home.path}/file/home`) });
      const error = await expectRejection(
        world.tasks().ensure("thread-1"),
        TaskRegistrationError,
        "store_denied",
      );
      expect(error.retryable).toBe(false);
      expect(error.hint).toBeDefined();
      expect(world.sent()).toBe(0);
    }
  });

  it("of threads registers no task, also where only locks show that it is read-only", async () => {
    const home = await temporaryDirectory();
    onTestFinished(() => home[Symbol.asyncDispose]());
    await writeFile(`${home.path}/file`, "");
    const readOnly: TaskStore = {
      load: async () => undefined,
      save: async () => {},
      withLock: async () => {
        throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
      },
    };
    const world = await startWorld();
    await world.identities.ensure();
    world.sent();
    for (const store of [fileTaskStore(`${home.path}/file/threads`), readOnly]) {
      const error = await expectRejection(
        world.tasks({ store }).ensure("thread-1"),
        TaskRegistrationError,
        "store_denied",
      );
      expect(error.retryable).toBe(false);
    }
    expect(world.sent()).toBe(0);
  });
});
