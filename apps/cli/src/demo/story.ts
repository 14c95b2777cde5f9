import { CountersignError } from "@countersign/agent-key";
import type { AuditEntry } from "@countersign/assertion-proxy";
import type { Answer, DemoAgent } from "./agent.js";
import type { Narrator, Telling } from "./narrator.js";
import type { Stage } from "./stage.js";
import type { ReceivedRequest } from "./stub-api.js";

/** The parts that a story uses. */
export interface StoryOptions {
  readonly stage: Stage;
  readonly agent: DemoAgent;
  readonly narrator: Narrator;
}

/** Plays the first half: from a login to two threads, one of which has trouble. */
export async function tellMainStory({ stage, agent, narrator }: StoryOptions): Promise<void> {
  const { authority, registry } = stage;
  await narrator.step("a human logs in; with the feature off nothing is registered", async (t) => {
    const token = await createHumanToken(stage, 1);
    const human = await agent.login(token);
    t.say(`sent GET /v1/whoami with the human's token: ${human.userId} of ${human.accountId}`);
    t.verify("the authority knows whose token it is", human.accountId === "acct-1");
    const identity = await agent.identities.ensure();
    t.verify(
      "no agent is registered",
      identity === undefined && authority.count("register_agent") === 0,
    );
  });

  await narrator.step(
    "the feature is turned on; the first turn registers agent and task",
    async (t) => {
      agent.switchFeature(true);
      const turn = await takeTurn(stage, agent, t, "thread-1");
      verifyPassed(t, stage, turn);
      t.verify(
        "the authority registered one agent and one task",
        authority.count("register_agent") === 1 && authority.count("register_task") === 1,
      );
      const [agents, tasks] = [await registry.listAgents(), await registry.listTasks()];
      t.verify(
        "they are the ones that the gateway saw",
        agents[0]?.agentRuntimeId === turn.entry.agent_runtime_id &&
          tasks[0]?.taskId === turn.entry.task_id,
      );
    },
  );

  await narrator.step("the next turn of the thread asks the authority for nothing", async (t) => {
    const before = authority.count("register_task");
    const turn = await takeTurn(stage, agent, t, "thread-1");
    verifyPassed(t, stage, turn);
    t.verify("no registration was sent", authority.count("register_task") === before);
    const [task] = await registry.listTasks();
    t.verify("the task is the same", task?.taskId === turn.entry.task_id);
  });

  await narrator.step("a second thread works under a task of its own", async (t) => {
    const turn = await takeTurn(stage, agent, t, "thread-2");
    verifyPassed(t, stage, turn);
    const tasks = await registry.listTasks();
    t.verify(
      "one agent has two tasks",
      authority.count("register_agent") === 1 && tasks.length === 2,
    );
    t.verify("the second thread's is the new one", tasks[1]?.taskId === turn.entry.task_id);
  });

  await narrator.step(
    "one thread cannot register while another goes on, and recovers",
    async (t) => {
      authority.failTasks(true);
      const [attemptsBefore, passedBefore] = [
        authority.count("register_task"),
        stage.api.received.length,
      ];
      const [failed, turn] = await Promise.all([
        errorOf(agent.turn("thread-3")),
        takeTurn(stage, agent, t, "thread-1"),
      ]);
      const attempts = authority.count("register_task") - attemptsBefore;
      t.say(`thread-3: ${attempts} registrations answered 503, then: ${failed?.message}`);
      verifyPassed(t, stage, turn);
      t.verify(
        "thread-3's turn failed with a temporary error",
        failed?.retryable === true && attempts > 1,
      );
      t.verify(
        "nothing of thread-3 reached the API",
        stage.api.received.length === passedBefore + 1,
      );
      authority.failTasks(false);
      const recovered = await takeTurn(stage, agent, t, "thread-3");
      verifyPassed(t, stage, recovered);
      t.verify("thread-3 has a task now", (await registry.listTasks()).length === 3);
    },
  );
}

/** Plays the second half: another account, a revoked task, a revoked agent. */
export async function tellRevocations({ stage, agent, narrator }: StoryOptions): Promise<void> {
  const { registry } = stage;
  await narrator.step(
    "another account logs in and gets an agent of its own; switching back registers nothing",
    async (t) => {
      const first = await agent.tasks.peek("thread-1");
      await agent.login(await createHumanToken(stage, 2));
      const other = await takeTurn(stage, agent, t, "thread-1");
      verifyPassed(t, stage, other);
      t.verify("the gateway saw the other account", other.entry.account_id === "acct-2");
      t.verify("with another agent", other.entry.agent_runtime_id !== first?.agentRuntimeId);
      const sent = registrations(stage);
      await agent.login(await createHumanToken(stage, 1));
      const back = await takeTurn(stage, agent, t, "thread-1");
      verifyPassed(t, stage, back);
      t.verify(
        "back with the first account the task is the old one",
        back.entry.task_id === first?.taskId,
      );
      t.verify("and nothing was registered", registrations(stage) === sent);
    },
  );

  await narrator.step("a revoked task is refused and replaced within the same turn", async (t) => {
    const task = await agent.tasks.peek("thread-1");
    const revoked = await registry.revokeTask(task?.taskId ?? "");
    t.say(`the operator revoked ${revoked?.taskId}`);
    const before = stage.audit.count();
    const answer = await agent.turn("thread-1");
    const [refused, passed] = await stage.audit.entries(before, 2);
    tellEntry(t, refused);
    tellEntry(t, passed);
    t.verify(
      "the gateway refused the old task",
      refused?.code === "task_revoked" && refused.task_id === task?.taskId,
    );
    t.verify(
      "the turn went on with a new task",
      answer.status === 200 && passed?.status === 200 && passed.task_id !== task?.taskId,
    );
    t.verify("of the same agent", passed?.agent_runtime_id === task?.agentRuntimeId);
  });

  await narrator.step("a revoked agent is refused and never replaces itself", async (t) => {
    const identity = await agent.identities.peek();
    const revoked = await registry.revokeAgent(identity?.agentRuntimeId ?? "");
    t.say(`the operator revoked ${revoked?.agentRuntimeId}`);
    const [entries, received, agents] = [
      stage.audit.count(),
      stage.api.received.length,
      (await registry.listAgents()).length,
    ];
    const outcome = await outcomeOf(agent.turn("thread-1"));
    const [refused] = await stage.audit.entries(entries, 1);
    tellEntry(t, refused);
    t.say(`the agent was told: ${outcome}`);
    t.verify("the gateway refused it", refused?.status === 401 && refused.code === "agent_revoked");
    t.verify("the agent knows why", outcome.includes("agent_revoked"));
    t.verify("nothing reached the API", stage.api.received.length === received);
    t.verify("no new agent was registered", (await registry.listAgents()).length === agents);
  });
}

interface Turn {
  readonly answer: Answer;
  readonly entry: AuditEntry;
  readonly received: ReceivedRequest | undefined;
}

async function takeTurn(stage: Stage, agent: DemoAgent, t: Telling, thread: string): Promise<Turn> {
  const before = stage.audit.count();
  const answer = await agent.turn(thread);
  const [entry] = await stage.audit.entries(before, 1);
  if (entry === undefined) throw new Error("the audit gave no entry");
  t.say(`${thread} sent POST /v1/responses with Authorization: AgentAssertion …`);
  tellEntry(t, entry);
  return { answer, entry, received: stage.api.received.at(-1) };
}

function tellEntry(t: Telling, entry: AuditEntry | undefined): void {
  if (entry === undefined) return;
  const { status, code, agent_runtime_id, task_id, account_id } = entry;
  const outcome = code === undefined ? `${status}` : `${status} ${code}`;
  t.say(`the gateway saw ${agent_runtime_id} of ${account_id} in ${task_id}: ${outcome}`);
}

function verifyPassed(
  t: Telling,
  { apiCredential }: Stage,
  { answer, entry, received }: Turn,
): void {
  t.verify(
    "the gateway verified the request and the answer streamed back",
    entry.status === 200 && answer.status === 200 && answer.body.includes("data: the API"),
  );
  const headers = received?.headers ?? {};
  t.verify(
    "the API saw agent, task and account, its own credential and no assertion",
    headers["x-agent-runtime-id"] === entry.agent_runtime_id &&
      headers["x-agent-task-id"] === entry.task_id &&
      headers["x-agent-account-id"] === entry.account_id &&
      headers.authorization === apiCredential,
  );
}

async function createHumanToken({ registry }: Stage, number: 1 | 2): Promise<string> {
  const { token } = await registry.createAccessToken({
    accountId: `acct-${number}`,
    userId: `user-${number}`,
    role: "human",
    ttlSeconds: 600,
  });
  return token;
}

function registrations({ authority }: Stage): number {
  return authority.count("register_agent") + authority.count("register_task");
}

async function errorOf(turn: Promise<Answer>): Promise<CountersignError | undefined> {
  try {
    await turn;
    return undefined;
  } catch (error) {
    if (CountersignError.is(error)) return error;
    throw error;
  }
}

// A refusal comes back as the 401 itself or as the thread's error, whichever the rules of protocol §10 say.
async function outcomeOf(turn: Promise<Answer>): Promise<string> {
  let answer: Answer | undefined;
  const error = await errorOf(
    turn.then((given) => {
      answer = given;
      return given;
    }),
  );
  return error === undefined
    ? `${answer?.status} ${answer?.body}`
    : `${error.code}: ${error.message}`;
}
