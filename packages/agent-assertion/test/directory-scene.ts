import {
  FakeClock,
  startTestUpstream,
  type TestUpstream,
  type UpstreamAnswer,
} from "@countersign/testing";
import {
  type AgentRecord,
  createDirectoryRecord,
  createProblem,
  type TaskRecord,
} from "../src/index.js";
import {
  type RemoteDirectory,
  type RemoteDirectoryOptions,
  remoteDirectory,
} from "../src/remote-directory.js";
import { AGENT_ID, agent, TASK_ID, task } from "./fixtures.js";

/** What ends with the test. */
export const open: { close?(): Promise<void> }[] = [];

/** Ends the servers and directories of a test; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const resource of open.splice(0)) await resource.close?.();
}

export const unknownAgent: UpstreamAnswer = createProblem("unknown_agent", "no such agent", {
  status: 404,
});
export const unavailable: UpstreamAnswer = { status: 503 };

/** An authority whose agent and task a test may change, a directory that asks it, and the clock of that directory. */
export class Scene {
  readonly clock = new FakeClock();
  agent: AgentRecord = agent;
  task: TaskRecord | undefined = task;
  headers: Record<string, string> = {};
  /** Instead of the record, while it is set. */
  answer: UpstreamAnswer | undefined;
  readonly upstream: TestUpstream;
  readonly directory: RemoteDirectory;

  constructor(upstream: TestUpstream, options: RemoteDirectoryOptions) {
    this.upstream = upstream;
    this.directory = remoteDirectory(upstream.url, { now: this.clock.now, ...options });
    open.push(this.directory, upstream);
  }

  /** The paths asked for since the last call. */
  #seen = 0;
  asked(): string[] {
    const paths = this.upstream.requests.slice(this.#seen).map((request) => request.url);
    this.#seen = this.upstream.requests.length;
    return paths;
  }

  record(url: string): UpstreamAnswer {
    const wantsTask = url.includes("/task/");
    const body = createDirectoryRecord(this.agent, wantsTask ? this.task : undefined);
    return { body, headers: this.headers };
  }

  readAgent = () => this.directory.agent(AGENT_ID);
  readTask = () => this.directory.task(AGENT_ID, TASK_ID);
}

/** Starts a scene. */
export async function setUp(options: RemoteDirectoryOptions = {}): Promise<Scene> {
  const upstream: TestUpstream = await startTestUpstream(
    ({ url }) => scene.answer ?? scene.record(url),
  );
  const scene = new Scene(upstream, options);
  return scene;
}

export const AGENT_PATH = `/v1/agent/${AGENT_ID}`;
export const TASK_PATH = `${AGENT_PATH}/task/${TASK_ID}`;
