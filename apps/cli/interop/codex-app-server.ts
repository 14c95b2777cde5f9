import type { ProcessResult, TestProcess } from "@countersign/testing";
import { z } from "zod";

const startedThreadSchema = z.object({ thread: z.object({ id: z.string() }) });
const startedTurnSchema = z.object({ turn: z.object({ id: z.string() }) });
const completedTurnSchema = z.object({
  turn: z.object({
    id: z.string(),
    status: z.string(),
    error: z.object({ message: z.string() }).nullish(),
  }),
});

/** How a turn ended. */
export interface CompletedTurn {
  readonly id: string;
  /** For instance `completed` or `failed`. */
  readonly status: string;
  /** What the user is told of a failure. */
  readonly message: string;
}

/** `codex app-server` over stdio: one JSON document on each line. */
export interface CodexAppServer {
  /** Starts a thread; gives its id. */
  startThread(): Promise<string>;
  /** Runs a turn to its end. */
  turn(threadId: string, text: string): Promise<CompletedTurn>;
  /** Compacts a thread whose last turn is known. */
  compact(threadId: string, lastTurnId: string): Promise<CompletedTurn>;
  /** Ends its input, and waits until it has ended. */
  close(): Promise<ProcessResult>;
}

/** Begins the protocol with a process that has started. */
export async function openAppServer(server: TestProcess): Promise<CodexAppServer> {
  let lastId = 0;
  const send = (message: object) => server.write(`${JSON.stringify(message)}\n`);
  const ask = async (method: string, params: object): Promise<unknown> => {
    lastId += 1;
    send({ id: lastId, method, params });
    const [line] = await server.waitForLine(new RegExp(`^{"id":${lastId},.*`));
    return JSON.parse(line).result;
  };
  const completion = async (turnId: string): Promise<CompletedTurn> => {
    const completed = new RegExp(`^{"method":"turn/completed",.*"${turnId}".*`);
    const [line] = await server.waitForLine(completed);
    const { id, status, error } = completedTurnSchema.parse(JSON.parse(line).params).turn;
    return { id, status, message: error?.message ?? "" };
  };
  const clientInfo = { name: "interop", title: "Interop", version: "0.1" };
  await ask("initialize", { clientInfo });
  send({ method: "initialized" });
  return {
    startThread: async () => startedThreadSchema.parse(await ask("thread/start", {})).thread.id,
    turn: async (threadId, text) => {
      const input = [{ type: "text", text }];
      const { turn } = startedTurnSchema.parse(await ask("turn/start", { threadId, input }));
      return await completion(turn.id);
    },
    compact: async (threadId, lastTurnId) => {
      await ask("thread/compact/start", { threadId });
      // No answer names the turn that does it: it is the thread's next one.
      const next = new RegExp(`^{"method":"turn/started",(?!.*"${lastTurnId}").*"${threadId}".*`);
      const [line] = await server.waitForLine(next);
      return await completion(startedTurnSchema.parse(JSON.parse(line).params).turn.id);
    },
    close: async () => {
      server.endInput();
      return await server.exited;
    },
  };
}
