import { langchain } from "@countersign/ai";
import { chatCompletionsApi } from "@countersign/testing";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

interface Message {
  readonly content: unknown;
}
interface Call {
  readonly signal?: AbortSignal;
}
interface ChatModel {
  invoke(question: string, call: Call): Promise<Message>;
  stream(question: string, call: Call): Promise<AsyncIterable<Message>>;
}

/** What this project uses of the package `@langchain/openai`. */
export interface LangChainSdk {
  readonly ChatOpenAI: new (options: {
    model: string;
    apiKey: string;
    maxRetries?: number;
    configuration: { baseURL: string; fetch: SdkSettings["fetch"] };
  }) => ChatModel;
}

/** The client of one version of `@langchain/openai`. */
export function langChainClients(version: string, { ChatOpenAI }: LangChainSdk): SdkClient[] {
  const create = ({ origin, key: apiKey, fetch, ...limits }: SdkSettings) => {
    const configuration = { baseURL: `${origin}/v1`, fetch };
    return new ChatOpenAI({ model: "any", apiKey, configuration, ...limits });
  };
  return [
    {
      name: `ChatOpenAI of @langchain/openai ${version}`,
      api: chatCompletionsApi,
      // The current one does not repeat a request after 429 unless the answer says which limit was reached.
      repeatsAfter: [500, 503],
      refusedAs: "PermissionDeniedError",
      keepsAnswer: true,
      helped(signedBy, origin) {
        const { apiKey: key, configuration } = langchain(signedBy, { baseURL: `${origin}/v1` });
        return { key, fetch: configuration.fetch };
      },
      async ask({ signal, ...settings }) {
        return String((await create(settings).invoke("Say hello.", callOf(signal))).content);
      },
      async stream({ signal, ...settings }) {
        const parts = await create(settings).stream("Say hello.", callOf(signal));
        return await joined(contents(parts));
      },
    },
  ];
}

function callOf(signal: AbortSignal | undefined): Call {
  return signal === undefined ? {} : { signal };
}

async function* contents(messages: AsyncIterable<Message>) {
  for await (const { content } of messages) yield String(content);
}
