import { randomBytes } from "node:crypto";
import { headerOf, type RecordedRequest } from "../recorded-request.js";
import { type Answer, json, problem } from "./answer.js";
import type { PlainTaskIds, TaskAnswerMember, TestAgent, TestTask } from "./authority-types.js";
import { createTestIdentityIssuer } from "./identity-issuer.js";
import { type IdentityJwtRequest, makeIdentityJwt, type TestIdentityJwt } from "./identity-jwt.js";
import { parse } from "./parse-body.js";
import { endFormerKeys, keysOf, rotateKey } from "./rotate-key.js";
import { sealForKey } from "./seal-for-key.js";
import { isSigned, parseSshKey } from "./ssh-key.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Human {
  readonly accountId: string;
  readonly userId: string;
}
interface Biscuit {
  readonly human: Human;
  readonly method: string;
  readonly url: string;
}

const MAX_SKEW_MS = 300_000;

/** @internal What the test authority knows, and its honest answers. */
export class AuthorityState {
  readonly issuer = createTestIdentityIssuer();
  readonly humans = new Map<string, Human>();
  readonly agents: Mutable<TestAgent>[] = [];
  readonly tasks: Mutable<TestTask>[] = [];
  readonly #biscuits = new Map<string, Biscuit>();
  readonly #now: () => number;
  answerTasks: TaskAnswerMember = "encrypted_task_id";
  taskLifetimeSeconds: number | undefined = undefined;
  plainTaskIds: PlainTaskIds = "accept";

  constructor(now: () => number) {
    this.#now = now;
  }

  agent(agentRuntimeId: string): Mutable<TestAgent> | undefined {
    return this.agents.find(
      (agent) => agent.agentRuntimeId === agentRuntimeId && agent.state !== "forgotten",
    );
  }

  task(taskId: string): Mutable<TestTask> | undefined {
    return this.tasks.find((task) => task.taskId === taskId && task.state !== "forgotten");
  }

  setAgentState(agentRuntimeId: string, state: TestAgent["state"]): void {
    const agent = this.agent(agentRuntimeId);
    if (agent === undefined) throw new Error(`no agent ${agentRuntimeId}`);
    agent.state = state;
  }

  setTaskState(taskId: string, state: TestTask["state"]): void {
    const task = this.task(taskId);
    if (task === undefined) throw new Error(`no task ${taskId}`);
    task.state = state;
  }

  mintBiscuit(request: RecordedRequest): Answer {
    const human = this.#bearer(request);
    if (human === undefined) return problem(401, "unauthenticated", "no such token");
    const method = headerOf(request, "x-original-method");
    const url = headerOf(request, "x-original-url");
    if (
      method === undefined ||
      url === undefined ||
      headerOf(request, "x-request-id") === undefined
    ) {
      return problem(400, "invalid_request", "a biscuit is for one method and URL");
    }
    const biscuit = `biscuit-${randomBytes(16).toString("base64url")}`;
    this.#biscuits.set(biscuit, { human, method, url });
    return { status: 200, headers: { "x-openai-authorization": biscuit }, body: "" };
  }

  registerAgent(request: RecordedRequest, url: string): Answer {
    const value = headerOf(request, "x-openai-authorization");
    const human = value === undefined ? this.#bearer(request) : this.#spend(value, url);
    if (human === undefined) {
      return value === undefined
        ? problem(401, "unauthenticated", "no such token")
        : problem(401, "biscuit_invalid", "not a biscuit for this request, or spent");
    }
    const body = parse(request.body);
    const publicKey = body?.agent_public_key;
    if (body === undefined || typeof body.abom !== "object" || !Array.isArray(body.capabilities)) {
      return problem(400, "invalid_request", "not an agent registration");
    }
    if (typeof publicKey !== "string" || parseSshKey(publicKey) === undefined) {
      return problem(409, "invalid_key", "not an Ed25519 key");
    }
    const same = this.agents.find(
      (agent) => keysOf(agent).includes(publicKey) && agent.state !== "forgotten",
    );
    if (same !== undefined && same.publicKey !== publicKey) {
      return problem(409, "invalid_key", "the key was rotated away");
    }
    if (same === undefined) {
      const agent: Mutable<TestAgent> = {
        agentRuntimeId: `agent_${this.agents.length + 1}`,
        ...human,
        publicKey,
        formerKeys: [],
        endedKeys: [],
        proof: value === undefined ? "bearer" : "biscuit",
        abom: body.abom,
        capabilities: body.capabilities,
        ttl: typeof body.ttl === "number" ? body.ttl : undefined,
        state: "active",
        registrations: 1,
      };
      this.agents.push(agent);
      return registered(agent);
    }
    if (same.accountId !== human.accountId || same.userId !== human.userId) {
      return problem(409, "invalid_key", "the key belongs to somebody else");
    }
    if (same.state === "revoked") return problem(401, "agent_revoked", "the agent is revoked");
    same.state = "active";
    same.registrations += 1;
    return registered(same);
  }

  issueIdentityJwt(request: IdentityJwtRequest): TestIdentityJwt {
    const { accountId, userId } = request;
    const agentRuntimeId = `agent_${this.agents.length + 1}`;
    const issued = makeIdentityJwt(this.issuer, agentRuntimeId, request, this.#now());
    this.agents.push({
      agentRuntimeId,
      accountId,
      userId,
      publicKey: issued.publicKey,
      formerKeys: [],
      endedKeys: [],
      proof: "issued",
      abom: undefined,
      capabilities: [],
      ttl: undefined,
      state: "active",
      registrations: 0,
    });
    return issued;
  }

  async registerTask(
    request: RecordedRequest,
    url: string,
    authority: string,
    agentRuntimeId: string,
  ): Promise<Answer> {
    const body = parse(request.body);
    const { signature, timestamp, plain_task_id, thread_label } = body ?? {};
    if (typeof signature !== "string" || typeof timestamp !== "string") {
      return problem(400, "invalid_request", "not a task registration");
    }
    const idempotencyKey = headerOf(request, "idempotency-key");
    const isPlain = plain_task_id === true && this.plainTaskIds !== "unknown";
    if (isPlain && this.plainTaskIds === "refuse") {
      return problem(403, "forbidden", "task ids are sealed here");
    }
    const skew = this.#now() - Date.parse(timestamp);
    if (!(skew <= MAX_SKEW_MS)) return problem(401, "expired", "signed too long ago");
    if (skew < -MAX_SKEW_MS) return problem(401, "not_yet_valid", "signed in the future");
    const agent = this.agent(agentRuntimeId);
    if (agent === undefined) return problem(401, "unknown_agent", "no such agent");
    const plainText = `countersign-plain-task-v1\n${authority}\n${agentRuntimeId}\n${timestamp}\n${idempotencyKey ?? ""}`;
    const text = isPlain ? plainText : `${agentRuntimeId}:${timestamp}`;
    const line = [agent.publicKey, ...agent.formerKeys].find((key) =>
      isSigned(text, signature, key),
    );
    const publicKey = parseSshKey(line);
    if (publicKey === undefined) {
      return problem(401, "bad_signature", "the signature does not hold");
    }
    if (line === agent.publicKey) endFormerKeys(agent);
    const biscuit = headerOf(request, "x-openai-authorization");
    if (biscuit !== undefined) {
      const human = this.#spend(biscuit, url);
      if (human?.accountId !== agent.accountId || human.userId !== agent.userId) {
        return problem(401, "biscuit_invalid", "not a biscuit of this agent's human");
      }
    }
    if (agent.state !== "active") {
      return problem(401, `agent_${agent.state}`, `the agent is ${agent.state}`);
    }
    const task = this.#taskFor(agentRuntimeId, idempotencyKey, thread_label);
    return await this.#answerTask(task, publicKey, isPlain ? "task_id" : this.answerTasks);
  }

  rotateKey(request: RecordedRequest, authority: string, agentRuntimeId: string): Answer {
    const agent = this.#ownAgent(request, agentRuntimeId);
    if ("status" in agent) return agent;
    const others = this.agents.filter((other) => other !== agent);
    return rotateKey(agent, others, {
      authority,
      body: parse(request.body) ?? {},
      now: this.#now(),
    });
  }

  revokeAgent(request: RecordedRequest, agentRuntimeId: string): Answer {
    const agent = this.#ownAgent(request, agentRuntimeId);
    if ("status" in agent) return agent;
    agent.state = "revoked";
    return json({ agent_runtime_id: agentRuntimeId, agent_state: "revoked" });
  }

  whoami(request: RecordedRequest): Answer {
    const human = this.#bearer(request);
    if (human === undefined) return problem(401, "unauthenticated", "no such token");
    return json({ account_id: human.accountId, user_id: human.userId });
  }

  directory(agentRuntimeId: string, taskId: string | undefined): Answer {
    const agent = this.agent(agentRuntimeId);
    if (agent === undefined) return problem(404, "unknown_agent", "no such agent");
    const found = taskId === undefined ? undefined : this.task(taskId);
    const task = found?.agentRuntimeId === agentRuntimeId ? found : undefined;
    const record = {
      agent_runtime_id: agentRuntimeId,
      account_id: agent.accountId,
      user_id: agent.userId,
      capabilities: agent.capabilities,
      agent_public_keys: [agent.publicKey, ...agent.formerKeys],
      agent_state: agent.state,
      task:
        task === undefined
          ? null
          : {
              task_id: task.taskId,
              state: this.#isOver(task) ? "expired" : task.state,
              ...expiry(task),
            },
    };
    return json(record, 200, { "cache-control": "private, max-age=15" });
  }

  #bearer(request: RecordedRequest): Human | undefined {
    const token = /^Bearer (\S+)$/.exec(headerOf(request, "authorization") ?? "")?.[1];
    return token === undefined ? undefined : this.humans.get(token);
  }

  // Of somebody else's agent it is not told that it exists.
  #ownAgent(request: RecordedRequest, agentRuntimeId: string): Mutable<TestAgent> | Answer {
    const human = this.#bearer(request);
    if (human === undefined) return problem(401, "unauthenticated", "no such token");
    const agent = this.agent(agentRuntimeId);
    return agent?.accountId === human.accountId && agent.userId === human.userId
      ? agent
      : problem(404, "unknown_agent", "no such agent");
  }

  #spend(value: string, url: string): Human | undefined {
    const biscuit = this.#biscuits.get(value);
    this.#biscuits.delete(value);
    return biscuit?.method === "POST" && biscuit.url === url ? biscuit.human : undefined;
  }

  #taskFor(
    agentRuntimeId: string,
    idempotencyKey: string | undefined,
    threadLabel: unknown,
  ): TestTask {
    const same = this.tasks.find(
      (task) =>
        idempotencyKey !== undefined &&
        task.agentRuntimeId === agentRuntimeId &&
        task.idempotencyKey === idempotencyKey &&
        task.state === "active" &&
        !this.#isOver(task),
    );
    if (same !== undefined) return same;
    const lifetime = this.taskLifetimeSeconds;
    const task: TestTask = {
      agentRuntimeId,
      taskId: `task_${this.tasks.length + 1}`,
      idempotencyKey,
      threadLabel,
      state: "active",
      expiresAt: lifetime === undefined ? undefined : this.#now() + lifetime * 1000,
    };
    this.tasks.push(task);
    return task;
  }

  async #answerTask(
    task: TestTask,
    publicKey: Uint8Array,
    member: TaskAnswerMember,
  ): Promise<Answer> {
    const isSealed = member.startsWith("encrypted");
    const id = isSealed ? await sealForKey(task.taskId, publicKey) : task.taskId;
    return json({ [member]: id, ...expiry(task) });
  }

  #isOver(task: TestTask): boolean {
    return task.expiresAt !== undefined && task.expiresAt <= this.#now();
  }
}

function registered(agent: TestAgent): Answer {
  const { agentRuntimeId, accountId, userId } = agent;
  return json({ agent_runtime_id: agentRuntimeId, account_id: accountId, user_id: userId });
}

function expiry(task: TestTask): { expires_at?: string } {
  if (task.expiresAt === undefined) return {};
  return { expires_at: new Date(task.expiresAt).toISOString().replace(/\.\d+Z$/, "Z") };
}
