import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import {
  type AgentDirectory,
  type AgentRecord,
  createDirectoryRecord,
  createProblem,
  createVerifier,
  type LookupLimitOptions,
  type Problem,
  signAssertion,
} from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { onTestFinished } from "vitest";
import { createProxyMetrics } from "../src/exchange/proxy-metrics.js";
import type { VerifyingGatewayOptions } from "../src/gateway/verifying-gateway.js";
import { createVerifyingGateway } from "../src/gateway/verifying-gateway.js";
import { NOW } from "./start-gateway.js";
import { ACCEPT } from "./websocket-bytes.js";

/** Where the flood comes from, and with it the agents that share its address. */
export const FLOOD = "127.0.0.1";
/** Where nothing of the flood comes from. */
export const ELSEWHERE = "127.0.0.2";

/** What a {@link FloodScene} is made of. */
export type FloodOptions = Partial<VerifyingGatewayOptions> & {
  readonly lookups?: LookupLimitOptions;
  /** The authority never answers about agents that do not exist. */
  readonly hangs?: boolean;
};

/** A gateway, an authority that it asks by HTTP, and an upstream: `/slow` is never answered, everything else at once. */
export interface FloodScene {
  readonly url: string;
  /** What the authority was asked, in order. */
  readonly asked: readonly string[];
  /** How many lookups of agents were under way when this one's began: what is served before it. */
  ahead(agentRuntimeId: string): number | undefined;
  /** A whole head of an agent; with `accountId`, the authority knows it from now on. */
  head(agentRuntimeId: string, target: string, options?: HeadOptions): string;
  /** Sends one request of an agent on a connection of its own and returns the status. */
  ask(agentRuntimeId: string, options: HeadOptions & { from: string }): Promise<number>;
  /** Opens connections, each of which sends this text, and waits until the gateway has read a request of every one. */
  flood(texts: readonly string[], from?: string): Promise<readonly Socket[]>;
  /** How many requests were refused, and connections closed, because of a limit. */
  limited(limit: string): Promise<number>;
}

export interface HeadOptions {
  /** Makes the authority know the agent, as one of this account. */
  readonly accountId?: string;
  readonly lines?: string;
}

const PAST_EVERY_TEST_MS = 600_000;

export async function startFloodScene(options: FloodOptions = {}): Promise<FloodScene> {
  const { lookups, hangs = false, ...gatewayOptions } = options;
  const keys = new Map<string, AgentKey>();
  const agents = new Map<string, AgentRecord>();
  const stranger = AgentKey.generate();
  const asked: string[] = [];

  const authority = await serve((path, response) => {
    asked.push(path);
    const [, , , id = "", , taskId] = path.split("/");
    const agent = agents.get(id);
    if (agent === undefined && hangs) return;
    const task = taskId === undefined ? undefined : { taskId, state: "active" as const };
    if (agent === undefined) {
      writeProblem(response, createProblem("unknown_agent", "no such agent", { status: 404 }));
    } else {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(createDirectoryRecord(agent, task)));
    }
  });
  const upstream = await serve((path, response) => {
    if (path !== "/slow") response.end("ok");
  });

  let begun = 0;
  const waiting: (() => void)[] = [];
  const metrics = createProxyMetrics();
  const began = (): void => {
    begun += 1;
    metrics.observer.began();
    for (const wake of waiting.splice(0)) wake();
  };
  const directory = remoteDirectory(authority, { now: () => NOW, deadlineMs: PAST_EVERY_TEST_MS });
  const ahead = new Map<string, number>();
  let underWay = 0;
  const counted: AgentDirectory = {
    ...directory,
    async agent(agentRuntimeId, lookup) {
      ahead.set(agentRuntimeId, underWay);
      underWay += 1;
      try {
        return await directory.agent(agentRuntimeId, lookup);
      } finally {
        underWay -= 1;
      }
    },
  };
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory: counted, now: () => NOW, lookups }),
    upstream,
    accounts: "any",
    now: () => NOW,
    metrics: { ...metrics, observer: { ...metrics.observer, began } },
    ...gatewayOptions,
  });
  const { url } = await gateway.listen({ host: "0.0.0.0", port: 0 });
  const port = Number(new URL(url).port);
  onTestFinished(async () => {
    await gateway.close({ drainMs: 1 });
    await directory.close?.();
  });

  function head(agentRuntimeId: string, target: string, headOptions: HeadOptions = {}): string {
    const { accountId, lines = "" } = headOptions;
    const key =
      keys.get(agentRuntimeId) ?? (accountId === undefined ? stranger : AgentKey.generate());
    if (accountId !== undefined && !agents.has(agentRuntimeId)) {
      keys.set(agentRuntimeId, key);
      agents.set(agentRuntimeId, {
        agentRuntimeId,
        accountId,
        userId: "user-1",
        capabilities: [],
        publicKeys: [key.publicKey],
        state: "active",
      });
    }
    const value = signAssertion({
      agentRuntimeId,
      taskId: `task-of-${agentRuntimeId}`,
      key,
      timestamp: formatTimestamp(NOW),
    });
    return `GET ${target} HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: ${value}\r\n${lines}\r\n`;
  }

  async function open(from: string): Promise<Socket> {
    const socket = connect({ port, host: FLOOD, localAddress: from });
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket;
  }

  return {
    url,
    asked,
    ahead: (agentRuntimeId) => ahead.get(agentRuntimeId),
    head,
    async ask(agentRuntimeId, { from, ...headOptions }) {
      const socket = await open(from);
      socket.setEncoding("latin1");
      socket.write(head(agentRuntimeId, "/quick", headOptions), "latin1");
      let text = "";
      for await (const chunk of socket) {
        text += chunk;
        if (text.includes("\r\n\r\n")) break;
      }
      return Number(text.slice(9, 12));
    },
    async flood(texts, from = FLOOD) {
      const sockets: Socket[] = [];
      for (let first = 0; first < texts.length; first += BATCH) {
        const batch = texts.slice(first, first + BATCH);
        const before = begun;
        const opened = await Promise.all(batch.map(() => open(from)));
        for (const [index, socket] of opened.entries()) {
          socket.resume();
          socket.write(batch[index] ?? "", "latin1");
        }
        sockets.push(...opened);
        while (begun < before + batch.length) {
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      }
      return sockets;
    },
    async limited(limit) {
      const line = (await metrics.render())
        .split("\n")
        .find((it) => it.startsWith(`countersign_proxy_limited_total{limit="${limit}"}`));
      return Number(line?.split(" ")[1]);
    },
  };
}

const BATCH = 250;

/** Starts a server on loopback that takes upgrades to WebSockets as well. */
async function serve(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => answer(request.url ?? "", response));
  server.on("upgrade", (_request, socket: Socket) => {
    socket.on("error", () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
    );
    onTestFinished(() => void socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function writeProblem(response: ServerResponse, { status, headers, body }: Problem): void {
  response.writeHead(status, headers);
  response.end(body);
}
