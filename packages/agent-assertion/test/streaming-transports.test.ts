import { Readable } from "node:stream";
import axios from "axios";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { assertionAdapter } from "../src/axios.js";
import { withAssertion } from "../src/fetch.js";
import { assertionInterceptor } from "../src/undici.js";
import { ScriptedSource } from "./signed-fetch.js";
import { chunks, Flow, startStepwiseServer, turn } from "./stepwise-server.js";

const MIB = 1024 * 1024;
const BYTES = 64 * MIB;
// What sockets and streams hold on their own; far below what is sent.
const LIMIT = 16 * MIB;

interface Transport {
  readonly name: string;
  get(url: string): Promise<AsyncIterable<Uint8Array>>;
  /** Sends a stream, and gives the answer's text. */
  post(url: string, body: AsyncIterable<Buffer>): Promise<string>;
}

function transportsFor(origin: string): readonly Transport[] {
  const source = new ScriptedSource();
  const options = { origins: [origin] };
  const api = withAssertion(fetch, source, options);
  const agent = new Agent();
  onTestFinished(() => agent.destroy());
  const dispatcher = agent.compose(assertionInterceptor(source, options));
  const throughAxios = (adapter: "http" | "fetch"): Transport => {
    const client = axios.create({
      adapter: assertionAdapter(axios, source, { ...options, adapter }),
      proxy: false,
      maxBodyLength: -1,
    });
    return {
      name: `axios over ${adapter}`,
      get: async (url) => (await client.get(url, { responseType: "stream" })).data,
      post: async (url, body) => {
        const data = adapter === "http" ? Readable.from(body) : ReadableStream.from(body);
        return (await client.post(url, data, { responseType: "text" })).data;
      },
    };
  };
  return [
    {
      name: "fetch",
      get: async (url) => (await api(url)).body ?? expect.fail(),
      post: async (url, body) => {
        const stream = ReadableStream.from(body);
        return (await api(url, { method: "POST", body: stream, duplex: "half" })).text();
      },
    },
    {
      name: "undici",
      get: async (url) =>
        (await dispatcher.request({ origin, path: new URL(url).pathname, method: "GET" })).body,
      post: async (url, body) => {
        const path = new URL(url).pathname;
        const stream = Readable.from(body, { objectMode: false });
        const answer = await dispatcher.request({ origin, path, method: "POST", body: stream });
        return answer.body.text();
      },
    },
    throughAxios("http"),
    throughAxios("fetch"),
  ];
}

const NAMES = ["fetch", "undici", "axios over http", "axios over fetch"] as const;

describe.each(NAMES)("%s", (name) => {
  async function setUp() {
    const flow = new Flow();
    const { url, step } = await startStepwiseServer(flow, BYTES);
    const transport = transportsFor(url).find((each) => each.name === name) ?? expect.fail();
    return { flow, url, step, transport };
  }

  test("hands on each server-sent event before the next is sent", async () => {
    const { url, step, transport } = await setUp();
    step();
    const events: string[] = [];
    for await (const chunk of await transport.get(`${url}/events`)) {
      events.push(Buffer.from(chunk).toString());
      // Only now: a client that waited for more would wait for ever.
      step();
    }
    expect(events).toEqual(["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"]);
  });

  test("takes a large answer no faster than it is read", async () => {
    const { flow, url, transport } = await setUp();
    for await (const chunk of await transport.get(`${url}/download`)) {
      flow.received(chunk.length);
      await turn();
    }
    expect(flow.total).toBe(BYTES);
    expect(flow.most).toBeLessThan(LIMIT);
  });

  test("sends a large body no faster than it is taken", async () => {
    const { flow, url, transport } = await setUp();
    const answer = await transport.post(`${url}/upload`, chunks(flow, BYTES));
    expect(String(answer)).toBe(String(BYTES));
    expect(flow.most).toBeLessThan(LIMIT);
  });
});
