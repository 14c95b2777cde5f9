import { openai } from "@countersign/ai";
import type { UpstreamHandler } from "@countersign/testing";
import { chatCompletionsApi, responsesApi } from "@countersign/testing";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

interface Call {
  readonly signal?: AbortSignal;
}
interface Streamed extends AsyncIterable<unknown> {
  readonly completed: Promise<void>;
  toTextStream(): AsyncIterable<string>;
}

/** What this project uses of `@openai/agents` and of the client that it takes; the type parameters are what its parts hand to each other. */
export interface AgentsSdk<Client, Agent, Provider> {
  readonly OpenAI: new (options: {
    apiKey: string;
    baseURL: string;
    fetch: SdkSettings["fetch"];
    maxRetries?: number;
  }) => Client;
  readonly Agent: new (options: { name: string; model: string }) => Agent;
  readonly OpenAIProvider: new (options?: {
    openAIClient: Client;
    useResponses: boolean;
  }) => Provider;
  readonly Runner: new (options: {
    modelProvider: Provider;
    tracingDisabled: boolean;
  }) => {
    run(agent: Agent, input: string, call: Call & { readonly stream: true }): Promise<Streamed>;
    run(agent: Agent, input: string, call: Call): Promise<{ readonly finalOutput?: unknown }>;
  };
  setDefaultOpenAIClient(client: Client): void;
}

/** The ways to give one version of `@openai/agents` its client. */
export function agentsClients<Client, Agent, Provider>(
  version: string,
  sdk: AgentsSdk<Client, Agent, Provider>,
): SdkClient[] {
  const client = (
    name: string,
    api: UpstreamHandler,
    providerOf: (client: Client) => Provider,
  ): SdkClient => {
    const runnerOf = ({ origin, key: apiKey, fetch, maxRetries }: SdkSettings) => {
      const limits = maxRetries === undefined ? {} : { maxRetries };
      const own = new sdk.OpenAI({ apiKey, baseURL: `${origin}/v1`, fetch, ...limits });
      return new sdk.Runner({ modelProvider: providerOf(own), tracingDisabled: true });
    };
    const agent = new sdk.Agent({ name: "agent", model: "any" });
    return {
      name: `${name} of @openai/agents ${version}`,
      api,
      repeatsAfter: [500, 429],
      refusedAs: "PermissionDeniedError",
      keepsAnswer: true,
      helped(signedBy, origin) {
        const { apiKey: key, fetch } = openai(signedBy, { baseURL: `${origin}/v1` });
        return { key, fetch };
      },
      async ask(settings) {
        const result = await runnerOf(settings).run(agent, "Say hello.", callOf(settings));
        return String(result.finalOutput);
      },
      async stream(settings) {
        const call = { ...callOf(settings), stream: true } as const;
        const streamed = await runnerOf(settings).run(agent, "Say hello.", call);
        const text = await joined(streamed.toTextStream());
        await streamed.completed;
        // A run that its caller ended completes as if it were whole.
        settings.signal?.throwIfAborted();
        return text;
      },
    };
  };
  return [
    client("OpenAIProvider", chatCompletionsApi, (openAIClient) => {
      return new sdk.OpenAIProvider({ openAIClient, useResponses: false });
    }),
    client("setDefaultOpenAIClient", responsesApi, (openAIClient) => {
      sdk.setDefaultOpenAIClient(openAIClient);
      return new sdk.OpenAIProvider();
    }),
  ];
}

function callOf({ signal }: SdkSettings): Call {
  return signal === undefined ? {} : { signal };
}
