import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { startLoopbackServer } from "../loopback-server.js";
import { type RecordedRequest, recordRequest } from "../recorded-request.js";
import { type Answer, json, problem } from "./answer.js";
import { AuthorityState } from "./authority-state.js";
import type {
  AuthorityRecord,
  AuthorityStep,
  TestAuthority,
  TestAuthorityOptions,
} from "./authority-types.js";
import { FaultQueue } from "./fault-queue.js";

const COUNT_OF = {
  biscuit: "biscuit",
  register_agent: "registerAgent",
  register_task: "registerTask",
  rotate_key: "rotateKey",
  revoke_agent: "revokeAgent",
  whoami: "whoami",
  directory: "directory",
  key_set: "keySet",
} as const;

interface Route {
  readonly step: AuthorityStep;
  readonly perform: (request: RecordedRequest) => Answer | Promise<Answer>;
}

/**
 * Starts an authority of generations A, B and C on a free loopback port. It stands on node:crypto and libsodium, so that what is tested
 * with it is tested against other code.
 */
export async function startTestAuthority(
  options: TestAuthorityOptions = {},
): Promise<TestAuthority> {
  const now = options.now ?? Date.now;
  const basePath = (options.basePath ?? "").replace(/\/+$/, "");
  const state = new AuthorityState(now);
  const faults = new FaultQueue();
  const requests: AuthorityRecord[] = [];
  const counts = {
    biscuit: 0,
    registerAgent: 0,
    registerTask: 0,
    rotateKey: 0,
    revokeAgent: 0,
    whoami: 0,
    directory: 0,
    keySet: 0,
  };

  const server = await startLoopbackServer(async (incoming, response) => {
    const request = await recordRequest(incoming);
    const route = findRoute(state, request, basePath, server.origin);
    requests.push({ ...request, step: route?.step });
    if (route === undefined) {
      send(response, problem(404, "invalid_request", "no such path"), now());
      return;
    }
    counts[COUNT_OF[route.step]] += 1;
    const fault = faults.next(route.step);
    switch (fault?.kind) {
      case "hang":
        return;
      case "reset":
        incoming.socket.destroy();
        return;
      case "lose":
        await route.perform(request);
        incoming.socket.destroy();
        return;
      case "status":
        send(response, faulty(fault.status, fault.body ?? "", fault.headers), now());
        return;
      case "answer": {
        const type = { "content-type": fault.contentType ?? "application/json" };
        send(response, faulty(200, fault.body, { ...type, ...fault.headers }), now());
        return;
      }
      case "redirect":
        send(response, faulty(fault.status ?? 307, "", { location: fault.location }), now());
        return;
      case "hold":
        await fault.until;
    }
    send(response, await route.perform(request), now());
  });

  return {
    url: server.origin + basePath,
    counts,
    requests,
    agents: state.agents,
    tasks: state.tasks,
    addHuman({ accountId, userId, accessToken }) {
      const token = accessToken ?? `token-${randomBytes(16).toString("hex")}`;
      state.humans.set(token, { accountId, userId });
      return token;
    },
    issuer: state.issuer,
    issueIdentityJwt: (request) => state.issueIdentityJwt(request),
    removeHuman: (accessToken) => void state.humans.delete(accessToken),
    fault: (step, fault, times = 1) => faults.add(step, fault, times),
    clearFaults: () => faults.clear(),
    revokeAgent: (id) => state.setAgentState(id, "revoked"),
    restoreAgent: (id) => state.setAgentState(id, "active"),
    expireAgent: (id) => state.setAgentState(id, "expired"),
    forgetAgent: (id) => state.setAgentState(id, "forgotten"),
    revokeTask: (id) => state.setTaskState(id, "revoked"),
    forgetTask: (id) => state.setTaskState(id, "forgotten"),
    get answerTasks() {
      return state.answerTasks;
    },
    set answerTasks(member) {
      state.answerTasks = member;
    },
    get plainTaskIds() {
      return state.plainTaskIds;
    },
    set plainTaskIds(policy) {
      state.plainTaskIds = policy;
    },
    get taskLifetimeSeconds() {
      return state.taskLifetimeSeconds;
    },
    set taskLifetimeSeconds(seconds) {
      state.taskLifetimeSeconds = seconds;
    },
    stop: () => server.stop(),
    start: () => server.start(),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function findRoute(
  state: AuthorityState,
  request: RecordedRequest,
  basePath: string,
  origin: string,
): Route | undefined {
  if (!request.url.startsWith(`${basePath}/`)) return undefined;
  const path = request.url.slice(basePath.length).split("?")[0] ?? "";
  const target = origin + request.url;
  switch (`${request.method} ${path}`) {
    case `GET ${keySetPath(basePath)}`:
      return { step: "key_set", perform: () => json(state.issuer.keySet) };
    case "GET /authenticate_app_v2":
      return { step: "biscuit", perform: (received) => state.mintBiscuit(received) };
    case "GET /v1/whoami":
      return { step: "whoami", perform: (received) => state.whoami(received) };
    case "POST /v1/agent/register":
      return {
        step: "register_agent",
        perform: (received) => state.registerAgent(received, target),
      };
  }
  const [, changed, change] = /^\/v1\/agent\/([^/]*)\/(key|revoke)$/.exec(path) ?? [];
  if (changed !== undefined && request.method === "POST") {
    const id = decodeURIComponent(changed);
    return change === "key"
      ? {
          step: "rotate_key",
          perform: (received) => state.rotateKey(received, origin + basePath, id),
        }
      : { step: "revoke_agent", perform: (received) => state.revokeAgent(received, id) };
  }
  const [, agent, task] = /^\/v1\/agent\/([^/]*)(?:\/task\/([^/]+))?$/.exec(path) ?? [];
  if (agent === undefined) return undefined;
  const id = decodeURIComponent(agent);
  if (request.method === "POST" && task === "register") {
    return {
      step: "register_task",
      perform: (received) => state.registerTask(received, target, origin + basePath, id),
    };
  }
  if (request.method !== "GET") return undefined;
  const taskId = task === undefined ? undefined : decodeURIComponent(task);
  return { step: "directory", perform: () => state.directory(id, taskId) };
}

// The three places where Codex looks.
function keySetPath(basePath: string): string {
  if (basePath.includes("/backend-api")) return "/wham/agent-identities/jwks";
  return `${basePath.includes("/api/codex") ? "" : "/api/codex"}/agent-identities/jwks`;
}

function faulty(
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const isText = typeof body === "string";
  const type = { "content-type": isText ? "text/plain" : "application/problem+json" };
  return { status, headers: { ...type, ...headers }, body: isText ? body : JSON.stringify(body) };
}

function send(response: ServerResponse, answer: Answer, now: number): void {
  response.writeHead(answer.status, { date: new Date(now).toUTCString(), ...answer.headers });
  response.end(answer.body);
}
