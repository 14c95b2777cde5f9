import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  type AnswerEvent,
  COMPLETION,
  COMPLETION_CHUNKS,
  HALVES,
  MESSAGE_ANSWER,
  MESSAGE_EVENTS,
  RESPONSE,
  RESPONSE_EVENTS,
  responseEventsOf,
} from "./stub-answers.ts";
import { acceptWebSockets, type UpstreamSocket } from "./stub-web-socket.ts";

/** One request as the upstream received it. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What is different in one streamed answer. */
export interface NextAnswer {
  /** What is behind the first piece of the answer waits for this. */
  readonly until?: Promise<unknown>;
  /** The output of the response is this item in place of a message. */
  readonly output?: object;
}

/** An API that answers `POST …/responses`, `…/chat/completions` and `…/messages`, streamed where that is asked for, and WebSockets at `…/responses`. */
export interface StubApi {
  readonly url: string;
  /** In the order of their arrival; handshakes are not among them. */
  readonly requests: readonly UpstreamRequest[];
  /** One for each handshake that arrived, refused ones too. */
  readonly sockets: readonly UpstreamSocket[];
  /** How the next requests for a response or completion are answered, each one once; then as ever. */
  answerNext(...answers: readonly NextAnswer[]): void;
  /** Resolves when so many requests have arrived. */
  arrived(count: number): Promise<void>;
  /** Whether handshakes are answered with 101; else with 426. Default true. */
  servesWebSockets: boolean;
  close(): Promise<void>;
}

/** Starts the stub on a free port of loopback. */
export async function startStubApi(): Promise<StubApi> {
  const requests: UpstreamRequest[] = [];
  const sockets: UpstreamSocket[] = [];
  const next: NextAnswer[] = [];
  const arrivals = new EventEmitter();
  const server = createServer((request, response) => {
    void (async () => {
      const { method = "", url: path = "", headers } = request;
      const body = await buffer(request);
      requests.push({ method, path, headers, body });
      arrivals.emit("request");
      await answer({ method, path, headers, body }, response, () => next.shift() ?? {});
    })();
  });
  const stub: StubApi = {
    url: "",
    requests,
    sockets,
    servesWebSockets: true,
    answerNext: (...answers) => {
      next.push(...answers);
    },
    arrived: async (count) => {
      while (requests.length < count) await once(arrivals, "request");
    },
    close: () =>
      new Promise((resolve) => {
        webSockets.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const webSockets = acceptWebSockets(server, sockets, () => stub.servesWebSockets);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(stub, { url: `http://127.0.0.1:${port}` });
}

interface Answered {
  readonly whole: object;
  /** The server-sent events. */
  stream(output: object | undefined): string[];
}

const ANSWERED: Readonly<Record<string, Answered>> = {
  "/chat/completions": { whole: COMPLETION, stream: chatStream },
  "/responses": { whole: RESPONSE, stream: responseStream },
  "/messages": { whole: MESSAGE_ANSWER, stream: () => namedEvents(MESSAGE_EVENTS) },
};

async function answer(
  { method, path, body }: UpstreamRequest,
  response: ServerResponse,
  takeNext: () => NextAnswer,
): Promise<void> {
  const [route = ""] = path.split("?");
  const answered = Object.entries(ANSWERED).find(([end]) => route.endsWith(end))?.[1];
  if (method !== "POST" || answered === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { until, output } = takeNext();
  if (!asksForStream(body)) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answered.whole));
    return;
  }
  const events = answered.stream(output);
  const firstPiece = events.findIndex((event) => event.includes(JSON.stringify(HALVES[0])));
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(events.slice(0, firstPiece + 1).join(""));
  await until;
  response.end(events.slice(firstPiece + 1).join(""));
}

// Compressed bodies are Codex's, which always asks for a stream.
function asksForStream(body: Buffer): boolean {
  return body[0] !== 0x7b || JSON.parse(body.toString()).stream === true;
}

function chatStream(): string[] {
  const chunks = COMPLETION_CHUNKS.map((chunk) => JSON.stringify(chunk));
  return [...chunks, "[DONE]"].map((data) => `data: ${data}\n\n`);
}

function responseStream(output: object | undefined): string[] {
  return namedEvents(output === undefined ? RESPONSE_EVENTS : responseEventsOf(output));
}

function namedEvents(events: readonly AnswerEvent[]): string[] {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}
