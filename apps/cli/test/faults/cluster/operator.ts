import { setTimeout as wait } from "node:timers/promises";
import { AssertionSigner } from "@countersign/agent-assertion";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import type { Registry } from "@countersign/agent-authority";
import type { AgentTask } from "@countersign/agent-task";
import type { SeededRandom } from "@countersign/testing";
import type { ClusterClient } from "./cluster-client.js";
import type { ServerSlot } from "./server-slot.js";

const PAUSE_MS = 1_500;
const AGENT_EVERY = 5;

/** A gateway, and how late it may see a revocation. */
export interface WatchedGateway {
  readonly name: string;
  readonly slot: ServerSlot;
  /** Milliseconds after which a request with something that was revoked is refused. */
  boundMs(revokedAt: number, sentAt: number): number;
}

/** When a gateway had seen a revocation. */
export interface Sighting {
  readonly gateway: string;
  /** When the last request that it let through was sent, milliseconds after the revocation; 0 if there was none. */
  readonly letThroughMs: number;
}

/** Revokes tasks and agents that are at work, and looks when each gateway sees it. */
export class Operator {
  readonly revokedAgents = new Set<string>();
  readonly revokedTasks = new Set<string>();
  readonly sightings: Sighting[] = [];
  /** Requests that were let through too late, or refused otherwise than they should be. */
  readonly violations: string[] = [];
  readonly #registry: Registry;
  readonly #gateways: readonly WatchedGateway[];
  readonly #random: SeededRandom;
  readonly #signer = new AssertionSigner();

  constructor(registry: Registry, gateways: readonly WatchedGateway[], random: SeededRandom) {
    this.#registry = registry;
    this.#gateways = gateways;
    this.#random = random;
  }

  /** Works until it is told to stop, and ends when everything that was revoked is refused everywhere. */
  async work(clients: readonly ClusterClient[], signal: AbortSignal): Promise<void> {
    const watching: Promise<void>[] = [];
    for (let count = 1; !signal.aborted; count += 1) {
      await wait(this.#random.below(PAUSE_MS));
      const task = await this.#random.pick(clients).currentTask();
      if (task === undefined || this.revokedAgents.has(task.agentRuntimeId)) continue;
      // So that a gateway that keeps answers has one to keep.
      await Promise.all(this.#gateways.map(({ slot }) => this.#probe(slot, task)));
      const what = count % AGENT_EVERY === 0 ? "agent" : "task";
      if (what === "agent") {
        this.revokedAgents.add(task.agentRuntimeId);
        await this.#registry.revokeAgent(task.agentRuntimeId);
      } else {
        this.revokedTasks.add(task.taskId);
        await this.#registry.revokeTask(task.taskId);
      }
      const revokedAt = Date.now();
      watching.push(...this.#gateways.map((it) => this.#watch(it, task, what, revokedAt)));
    }
    await Promise.all(watching);
  }

  // Asks as fast as a gateway with the shortest bound needs it, until it refuses.
  async #watch(
    gateway: WatchedGateway,
    task: AgentTask,
    what: "task" | "agent",
    revokedAt: number,
  ): Promise<void> {
    let letThroughMs = 0;
    for (;;) {
      const sentAt = Date.now();
      const answer = await this.#probe(gateway.slot, task);
      if (answer === `401 ${what}_revoked` || answer === "401 agent_revoked") {
        this.sightings.push({ gateway: gateway.name, letThroughMs });
        return;
      }
      if (answer === "200") letThroughMs = sentAt - revokedAt;
      const boundMs = gateway.boundMs(revokedAt, sentAt);
      if (answer === "200" && sentAt - revokedAt > boundMs) {
        const late = `${sentAt - revokedAt} ms after, ${boundMs} ms allowed`;
        this.violations.push(`${gateway.name} let a revoked ${what} through ${late}`);
        return;
      }
      // The gateway is down, or has no answer of the authority: then it lets no request through.
      if (answer !== "200" && answer !== "down" && answer !== "503 server_error") {
        this.violations.push(`${gateway.name} answered ${answer} to a revoked ${what}`);
        return;
      }
      await wait(200);
    }
  }

  async #probe(slot: ServerSlot, task: AgentTask): Promise<string> {
    const { url } = slot;
    if (url === undefined) return "down";
    try {
      const authorization = await headerAsync(this.#signer, { kind: "agent", ...task });
      const headers = { authorization };
      const answer = await fetch(`${url}/v1/probe`, { headers });
      const text = await answer.text();
      return answer.status === 200 ? "200" : `${answer.status} ${JSON.parse(text).code}`;
    } catch {
      return "down";
    }
  }
}
