import type { UpstreamHandler } from "@countersign/testing";
import type { World } from "./world.js";

/** Options of one call. */
export interface IntegrationCall {
  readonly maxRetries?: number;
  readonly signal?: AbortSignal;
}

/** Makes calls of a started integration. Each gives the text of the answer. */
export interface StartedIntegration {
  ask(call: IntegrationCall): Promise<string>;
  stream(call: IntegrationCall): Promise<string>;
}

/** One way in which an agent calls an API. */
export interface Integration {
  readonly name: string;
  readonly api: UpstreamHandler;
  /** A call whose stream breaks off goes on waiting. */
  readonly missesBrokenStream?: boolean;
  /** Sets it up for the thread and the API of a world. */
  start(world: World): Promise<StartedIntegration>;
  /** The name of an error of a call. */
  nameOf(error: unknown): string;
  /** The code of the refusal behind an error of a call. */
  codeOf(error: unknown): string | undefined;
}
