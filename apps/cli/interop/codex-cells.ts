import { CODEX_A, CODEX_B, CODEX_C, type CodexRelease } from "./codex-binary.ts";
import { type CodexWay, FLAG, JWT, PROXY } from "./codex-ways.ts";
import { ANSWER } from "./stub-answers.ts";

/** What works in every cell, in the order in which it is done. */
export const TURNS = [
  "cold turn",
  "second thread",
  "resumed thread",
  "app-server, two threads",
  "WebSocket",
  "426",
] as const;

/** What an operator does, or what fails, before a turn; in the order in which it is done. */
export const TROUBLES = [
  "task revoked",
  "next run after it",
  "agent revoked",
  "authority down",
] as const;

export type Turn = (typeof TURNS)[number];
export type Trouble = (typeof TROUBLES)[number];

/** What a turn after a trouble must come to. */
export interface Troubled {
  /** Part of what the user is told; or the answer of the model. */
  readonly told: string;
  /** The code of each refusal at the gateway; and how many there may be. Default: none. */
  readonly refused?: { readonly code: string; readonly atMost: number };
  /** How many registrations may be tried at the authority. */
  readonly registrations: number;
}

/** A version of Codex and a way in which it gets its assertions: one cell of the table in docs/codex.md, and all that interop expects of it. */
export interface CodexCell {
  readonly release: CodexRelease;
  readonly way: CodexWay;
  /** How many agents and tasks a turn registers. */
  readonly registers: Readonly<Record<Turn, readonly [agents: number, tasks: number]>>;
  /** What has one task, as the tasks of turns show. */
  readonly taskOf: "thread" | "process" | "home";
  /** Whether a thread can be compacted through the gateway. */
  readonly compacts: boolean;
  readonly troubles: Readonly<Record<Trouble, Troubled>>;
}

const ONE_FOR_EACH_THREAD = {
  "cold turn": [1, 1],
  "second thread": [0, 1],
  "resumed thread": [0, 0],
  "app-server, two threads": [0, 2],
  WebSocket: [0, 1],
  "426": [0, 1],
} as const;

const ONE_FOR_THE_HOME = {
  "cold turn": [1, 1],
  "second thread": [0, 0],
  "resumed thread": [0, 0],
  "app-server, two threads": [0, 0],
  WebSocket: [0, 0],
  "426": [0, 0],
} as const;

function forEachRun(tasks: number, tasksOfServer: number): CodexCell["registers"] {
  return {
    "cold turn": [0, tasks],
    "second thread": [0, tasks],
    "resumed thread": [0, tasks],
    "app-server, two threads": [0, tasksOfServer],
    WebSocket: [0, tasks],
    "426": [0, tasks],
  };
}

// One refusal is answered by a new task, by which the turn is sent again.
const REPLACED = { told: ANSWER, refused: { code: "task_revoked", atMost: 1 }, registrations: 1 };

function throughProxy(release: CodexRelease): CodexCell {
  return {
    ...{ release, way: PROXY, registers: ONE_FOR_EACH_THREAD, taskOf: "thread", compacts: true },
    troubles: {
      "task revoked": REPLACED,
      "next run after it": { told: ANSWER, registrations: 0 },
      "agent revoked": { told: "the agent was revoked", registrations: 6 },
      "authority down": { told: "no connection to the authority", registrations: 5 },
    },
  };
}

/** Every version and way that works. */
export const CODEX_CELLS: readonly CodexCell[] = [
  {
    ...{ release: CODEX_A, way: FLAG, registers: ONE_FOR_EACH_THREAD, taskOf: "thread" },
    compacts: false,
    troubles: {
      "task revoked": {
        told: "the task was revoked",
        refused: { code: "task_revoked", atMost: 18 },
        registrations: 0,
      },
      "next run after it": {
        told: "the task was revoked",
        refused: { code: "task_revoked", atMost: 18 },
        registrations: 0,
      },
      "agent revoked": { told: "the agent was revoked", registrations: 3 },
      "authority down": {
        told: "failed to send agent identity biscuit request",
        registrations: 3,
      },
    },
  },
  throughProxy(CODEX_A),
  {
    ...{ release: CODEX_B, way: JWT, registers: forEachRun(3, 3), taskOf: "process" },
    compacts: true,
    troubles: {
      "task revoked": {
        told: "the task was revoked",
        refused: { code: "task_revoked", atMost: 6 },
        registrations: 0,
      },
      "next run after it": { told: ANSWER, registrations: 3 },
      "agent revoked": { told: "the agent was revoked", registrations: 2 },
      "authority down": { told: "failed to request agent identity JWKS", registrations: 2 },
    },
  },
  throughProxy(CODEX_B),
  {
    ...{ release: CODEX_C, way: FLAG, registers: ONE_FOR_THE_HOME, taskOf: "home" },
    compacts: true,
    troubles: {
      "task revoked": {
        told: "the task was revoked",
        refused: { code: "task_revoked", atMost: 18 },
        registrations: 0,
      },
      "next run after it": { told: ANSWER, registrations: 1 },
      "agent revoked": {
        told: "the agent was revoked",
        refused: { code: "agent_revoked", atMost: 18 },
        registrations: 0,
      },
      "authority down": {
        told: "error sending request for url",
        refused: { code: "missing", atMost: 18 },
        registrations: 30,
      },
    },
  },
  {
    ...{ release: CODEX_C, way: JWT, registers: forEachRun(4, 2), taskOf: "process" },
    compacts: true,
    troubles: {
      "task revoked": {
        told: "the task was revoked",
        refused: { code: "task_revoked", atMost: 6 },
        registrations: 0,
      },
      "next run after it": { told: ANSWER, registrations: 4 },
      "agent revoked": {
        told: "the request carries no AgentAssertion",
        refused: { code: "missing", atMost: 6 },
        registrations: 4,
      },
      "authority down": {
        told: "the request carries no AgentAssertion",
        refused: { code: "missing", atMost: 6 },
        registrations: 30,
      },
    },
  },
  throughProxy(CODEX_C),
];

/** What a cell is called, in the output and in docs/codex.md. */
export function nameOf({ release, way }: Pick<CodexCell, "release" | "way">): string {
  return `${release.name} ${way.name}`;
}
