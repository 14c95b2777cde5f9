import axios from "axios";
import { Agent, interceptors, fetch as undiciFetch } from "undici";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { assertionAdapter } from "../src/axios.js";
import { type AssertionOptions, withAssertion } from "../src/fetch.js";
import { AgentAssertionError } from "../src/index.js";
import { assertionInterceptor } from "../src/undici.js";
import { assertionHeaders, dialWithAssertion } from "../src/websocket.js";
import type { ScriptedSource } from "./signed-fetch.js";

/** Sends a GET with header fields of its caller. */
export type Send = (url: string, headers?: Record<string, string>) => Promise<unknown>;

/** One way to send a request with an assertion. */
export interface Transport {
  readonly name: string;
  make(source: ScriptedSource, options: AssertionOptions): Send;
}

const overAxios = (adapter: "http" | "fetch"): Transport => ({
  name: `axios over ${adapter}`,
  make(source, options) {
    const api = axios.create({
      adapter: assertionAdapter(axios, source, { ...options, adapter }),
      proxy: false,
    });
    return (url, headers = {}) => api.get(url, { headers });
  },
});

/** Those that follow redirects. */
export const followers: readonly Transport[] = [
  {
    name: "fetch",
    make(source, options) {
      const api = withAssertion(fetch, source, options);
      return (url, headers = {}) => api(url, { headers });
    },
  },
  {
    name: "undici",
    make(source, options) {
      const agent = new Agent();
      onTestFinished(() => agent.destroy());
      const dispatcher = agent.compose(
        assertionInterceptor(source, options),
        interceptors.redirect({ maxRedirections: 5 }),
      );
      return async (url, headers = {}) => {
        const { origin, pathname: path } = new URL(url);
        const { body } = await dispatcher.request({ origin, path, method: "GET", headers });
        await body.dump();
      };
    },
  },
  {
    name: "undici's fetch",
    make(source, options) {
      const agent = new Agent();
      onTestFinished(() => agent.destroy());
      const dispatcher = agent.compose(assertionInterceptor(source, options));
      return async (url, headers = {}) => {
        await unwrapped(undiciFetch(url, { headers, dispatcher }));
      };
    },
  },
  overAxios("http"),
  overAxios("fetch"),
];

// undici's `fetch` gives each error of its dispatcher as the cause of its own.
async function unwrapped(response: Promise<unknown>): Promise<void> {
  try {
    await response;
  } catch (error) {
    throw error instanceof TypeError && error.cause !== undefined ? error.cause : error;
  }
}

// The servers of these tests take no upgrades: they answer a handshake as a request, and what they got is what counts.
const dials: readonly Transport[] = [
  {
    name: "a dial",
    make(source, options) {
      const dial = dialWithAssertion(source, options);
      return async (url, own = {}) => {
        const target = url.replace("http", "ws");
        const dialled = dial(target, (headers) => new WebSocket(target, { headers }), {
          headers: own,
        });
        await dialled.catch((error: unknown) => {
          if (!AgentAssertionError.is(error) || error.code !== "refused") throw error;
        });
      };
    },
  },
  {
    name: "the headers of a dial",
    make(source, options) {
      const assertions = assertionHeaders(source, options);
      return async (url, own = {}) => {
        const headers = await assertions.headers(url.replace("http", "ws"), { headers: own });
        await fetch(url, { headers, redirect: "manual" });
      };
    },
  },
];

/** All of them. */
export const transports: readonly Transport[] = [...followers, ...dials];
