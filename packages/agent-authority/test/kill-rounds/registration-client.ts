import { randomUUID } from "node:crypto";
import { AgentKey } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import type { SeededRandom } from "@countersign/testing";
import { type Dispatcher, request } from "undici";
import { agentBody, biscuitHeaders, taskBody, taskPath } from "../start-authority.js";
import type { AgentEntry, BiscuitEntry, Ledger, TaskEntry } from "./ledger.js";

const REGISTER = "/v1/agent/register";

/** The authority of one round. */
export interface Round {
  readonly url: string;
  readonly nowMs: number;
  /** Called for every answer. */
  onAnswer(): void;
}

/** How a request ended for its client. If `unknown`, the client sends it again, as the answer said (protocol §10). */
type Outcome = "done" | "refused" | "unknown";

type Work = (round: Round) => Promise<Outcome>;

type Present = (round: Round, biscuit: string) => Promise<Outcome>;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly body: any;
  readonly headers: Dispatcher.ResponseData["headers"];
}

/** One of several clients that register without a pause, and write down what they were told. Each is a user of its own. */
export class RegistrationClient {
  readonly #userId: string;
  readonly #token: string;
  readonly #ledger: Ledger;
  readonly #random: SeededRandom;
  readonly #own: AgentEntry[] = [];
  readonly #keyed: TaskEntry[] = [];
  #unfinished: Work | undefined;

  constructor(userId: string, token: string, ledger: Ledger, random: SeededRandom) {
    this.#userId = userId;
    this.#token = token;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Works until the authority is gone. What was cut off is the first thing that the next round asks again, as a client does (protocol §10). */
  async work(round: Round): Promise<void> {
    for (;;) {
      const work = this.#unfinished ?? this.#next();
      this.#unfinished = work;
      try {
        if ((await work(round)) !== "unknown") this.#unfinished = undefined;
      } catch (error) {
        if (!isConnectionError(error)) throw error;
        this.#ledger.unknown += 1;
        return;
      }
    }
  }

  #next(): Work {
    const agent = this.#own.length === 0 ? undefined : this.#random.pick(this.#own);
    const kind = this.#random.below(10);
    if (agent === undefined || kind === 0) return this.#newAgent();
    if (kind === 1) return (round) => this.#registerAgent(round, agent, this.#bearer());
    if (kind === 2) return this.#agentByBiscuit();
    if (kind === 3) return this.#taskByBiscuit(agent);
    if (kind <= 6) return this.#newTask(agent, undefined);
    const earlier =
      kind === 7 && this.#keyed.length > 0 ? this.#random.pick(this.#keyed) : undefined;
    if (earlier !== undefined) return (round) => this.#registerTask(round, earlier);
    return this.#newTask(agent, randomUUID());
  }

  #newAgent(): Work {
    const agent = this.#agentEntry();
    this.#ledger.agents.push(agent);
    return (round) => this.#registerAgent(round, agent, this.#bearer());
  }

  #newTask(agent: AgentEntry, idempotencyKey: string | undefined): Work {
    const task = this.#taskEntry(agent, idempotencyKey);
    return async (round) => {
      const outcome = await this.#registerTask(round, task);
      if (outcome === "done" && idempotencyKey !== undefined) this.#keyed.push(task);
      return outcome;
    };
  }

  #agentByBiscuit(): Work {
    const agent = this.#agentEntry();
    this.#ledger.agents.push(agent);
    const barred = this.#agentEntry();
    this.#ledger.barredAgents.push(barred);
    return this.#byBiscuit(
      REGISTER,
      agent,
      (round, biscuit) => this.#registerAgent(round, agent, { "x-openai-authorization": biscuit }),
      (round, biscuit) => this.#registerAgent(round, barred, { "x-openai-authorization": biscuit }),
    );
  }

  #taskByBiscuit(agent: AgentEntry): Work {
    const task = this.#taskEntry(agent, randomUUID());
    const present: Present = (round, biscuit) =>
      this.#registerTask(round, task, { "x-openai-authorization": biscuit });
    return this.#byBiscuit(taskPath(idOf(agent)), task, present, present);
  }

  // Mints a biscuit, spends it, and then tries to spend it again.
  #byBiscuit(
    path: string,
    spentOn: AgentEntry | TaskEntry,
    spend: Present,
    spendAgain: Present,
  ): Work {
    let entry: BiscuitEntry | undefined;
    return async (round) => {
      entry ??= await this.#mint(round, path, spentOn);
      if (entry === undefined) return "unknown";
      for (const present of [spend, spendAgain]) {
        if (entry.refused > 0) break;
        const outcome = await present(round, entry.biscuit);
        if (outcome === "unknown") return outcome;
        if (outcome === "done") entry.taken += 1;
        else entry.refused += 1;
      }
      return "done";
    };
  }

  async #mint(
    round: Round,
    path: string,
    spentOn: AgentEntry | TaskEntry,
  ): Promise<BiscuitEntry | undefined> {
    const headers = biscuitHeaders(this.#token, round.url + path);
    const answer = await this.#call(round, "GET", "/authenticate_app_v2", headers);
    if (answer === undefined) return undefined;
    const biscuit = String(answer.headers["x-openai-authorization"]);
    const entry: BiscuitEntry = { biscuit, spentOn, taken: 0, refused: 0 };
    this.#ledger.biscuits.push(entry);
    return entry;
  }

  async #registerAgent(
    round: Round,
    agent: AgentEntry,
    headers: Record<string, string>,
  ): Promise<Outcome> {
    const answer = await this.#call(round, "POST", REGISTER, headers, agentBody(agent.key));
    if (answer === undefined) return "unknown";
    if (answer.status !== 200) return "refused";
    if (agent.ids.size === 0) this.#own.push(agent);
    agent.ids.add(answer.body.agent_runtime_id);
    this.#ledger.acknowledged += 1;
    return "done";
  }

  async #registerTask(
    round: Round,
    task: TaskEntry,
    headers: Record<string, string> = {},
  ): Promise<Outcome> {
    const { agent, idempotencyKey } = task;
    const id = idOf(agent);
    task.attempts += 1;
    const answer = await this.#call(
      round,
      "POST",
      taskPath(id),
      idempotencyKey === undefined ? headers : { ...headers, "idempotency-key": idempotencyKey },
      taskBody(id, agent.key, round.nowMs),
    );
    if (answer === undefined) return "unknown";
    if (answer.status !== 200) return "refused";
    const sealed = Buffer.from(answer.body.encrypted_task_id, "base64");
    task.ids.add(Buffer.from(openSealedBox(sealed, agent.key)).toString());
    this.#ledger.acknowledged += 1;
    return "done";
  }

  /** @returns `undefined` for an answer that says to try again: the request may or may not have been carried out */
  async #call(
    round: Round,
    method: "GET" | "POST",
    path: string,
    headers: Record<string, string>,
    body?: object,
  ): Promise<Answer | undefined> {
    const response = await request(round.url + path, {
      method,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    round.onAnswer();
    const { statusCode: status } = response;
    const answer = { status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
    if (status >= 200 && status < 300) return answer;
    if (status === 503 && answer.body.code === "server_error") {
      this.#ledger.unknown += 1;
      return undefined;
    }
    const isSpent = answer.body.code === "biscuit_invalid" && "x-openai-authorization" in headers;
    if (!isSpent) this.#ledger.unexpected.push(`${method} ${path}: ${status} ${text}`);
    return answer;
  }

  #agentEntry(): AgentEntry {
    return { key: AgentKey.generate(), userId: this.#userId, ids: new Set() };
  }

  #taskEntry(agent: AgentEntry, idempotencyKey: string | undefined): TaskEntry {
    const task = { agent, idempotencyKey, ids: new Set<string>(), attempts: 0 };
    this.#ledger.tasks.push(task);
    return task;
  }

  #bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }
}

function idOf(agent: AgentEntry): string {
  const [id = ""] = agent.ids;
  return id;
}

function isConnectionError(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    /^(UND_ERR_SOCKET|ECONN|EPIPE)/.test(String(error.code))
  );
}
