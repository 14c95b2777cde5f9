import type { ServerResponse } from "node:http";
import { startLoopbackServer } from "./loopback-server.js";
import { type RecordedRequest, recordRequest } from "./recorded-request.js";

/** A request that the upstream received. */
export interface UpstreamRequest extends RecordedRequest {
  /** Whether the connection ended before the answer did. */
  readonly aborted: boolean;
}

/** What the upstream answers. */
export type UpstreamAnswer =
  | {
      readonly kind?: "answer";
      /** Default 200. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      /** An object is sent as JSON. Default empty. */
      readonly body?: string | Uint8Array | object;
    }
  /** Server-sent events, each flushed at once: every text becomes one `data:` event. */
  | {
      readonly kind: "events";
      readonly events: Iterable<string> | AsyncIterable<string>;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Waits, then gives that answer. */
  | { readonly kind: "hold"; readonly until: Promise<unknown>; readonly answer?: UpstreamAnswer }
  /** Ends the connection without an answer. */
  | { readonly kind: "reset" };

/** Gives the answer to one request. */
export type UpstreamHandler = (
  request: UpstreamRequest,
) => UpstreamAnswer | Promise<UpstreamAnswer>;

/** A server behind a gateway, or an API that is called. */
export interface TestUpstream extends AsyncDisposable {
  /** Origin, without a slash at the end. */
  readonly url: string;
  /** Requests whose body was read whole, in order. */
  readonly requests: readonly UpstreamRequest[];
  /** Scripts the answers to the next requests; after them the handler answers again. */
  answer(...answers: readonly UpstreamAnswer[]): void;
  close(): Promise<void>;
}

/** Starts an upstream on a free loopback port. The default handler answers 200 with `{"ok":true}`. */
export async function startTestUpstream(
  handler: UpstreamHandler = () => ({ body: { ok: true } }),
): Promise<TestUpstream> {
  const requests: UpstreamRequest[] = [];
  const script: UpstreamAnswer[] = [];
  const server = await startLoopbackServer(async (incoming, response) => {
    const request = { ...(await recordRequest(incoming)), aborted: false };
    response.on("close", () => {
      request.aborted = !response.writableFinished;
    });
    requests.push(request);
    const answer = script.shift() ?? (await handler(request));
    await respond(response, answer);
  });
  return {
    url: server.origin,
    requests,
    answer: (...answers) => void script.push(...answers),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function respond(response: ServerResponse, answer: UpstreamAnswer): Promise<void> {
  switch (answer.kind) {
    case "reset":
      response.destroy();
      return;
    case "hold":
      await answer.until;
      return await respond(response, answer.answer ?? { body: { ok: true } });
    case "events":
      response.writeHead(200, { "content-type": "text/event-stream", ...answer.headers });
      response.flushHeaders();
      for await (const event of answer.events) {
        if (response.destroyed) return;
        response.write(`data: ${event}\n\n`);
      }
      response.end();
      return;
    default: {
      const { body = "", status = 200, headers = {} } = answer;
      const isRaw = typeof body === "string" || body instanceof Uint8Array;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (!isRaw && !response.hasHeader("content-type")) {
        response.setHeader("content-type", "application/json");
      }
      response.statusCode = status;
      response.end(isRaw ? body : JSON.stringify(body));
    }
  }
}
