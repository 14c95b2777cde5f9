import { join } from "node:path";
import { proxyEnv } from "@countersign/assertion-proxy";
import { chatCompletionsApi, runProcess } from "@countersign/testing";
import { onTestFinished } from "vitest";
import type { Integration, IntegrationCall } from "./integration.js";

/** The error that a child process reported. */
class ChildError extends Error {
  readonly code: string;

  constructor(name: string, code: string, message: string) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

function childAgent(
  name: string,
  command: (how: string, call: IntegrationCall) => readonly [string, ...string[]],
): Integration {
  return {
    name,
    api: chatCompletionsApi,
    async start({ thread, tap }) {
      const proxy = await proxyEnv(thread, { upstream: tap.url, env: process.env });
      onTestFinished(() => proxy.close({ drainMs: 0 }));
      const run = async (how: string, call: IntegrationCall): Promise<string> => {
        const [program, ...args] = command(how, call);
        const { env } = proxy;
        const ended = await runProcess(program, args, { env, signal: call.signal });
        call.signal?.throwIfAborted();
        if (ended.code === 0) return ended.stdout;
        const lines = ended.stderr.split("\n").filter((line) => line.startsWith("{"));
        const told = JSON.parse(lines.at(-1) ?? "{}");
        throw new ChildError(told.name, told.code, told.message ?? ended.stderr);
      };
      return { ask: (call) => run("ask", call), stream: (call) => run("stream", call) };
    },
    nameOf: (error) => Object(error).name,
    codeOf: (error) => (error instanceof ChildError ? error.code : undefined),
  };
}

const program = (name: string): string => join(import.meta.dirname, "children", name);

/** Agents that are processes of their own, with the environment of `proxyEnv`. */
export const CHILD_AGENTS: readonly Integration[] = [
  childAgent("`openai` 7 in a Node process, by `proxyEnv`", (how, { maxRetries }) => {
    const limits = maxRetries === undefined ? [] : [String(maxRetries)];
    return [process.execPath, program("openai.mjs"), how, ...limits];
  }),
  childAgent("urllib in a Python process, by `proxyEnv`", (how) => [
    "python3",
    program("urllib.py"),
    how,
  ]),
];
