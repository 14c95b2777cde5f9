import { chatCompletionsApi } from "../model-api.js";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

interface Message {
  readonly content: unknown;
}
interface ChatModel {
  invoke(question: string): Promise<Message>;
  stream(question: string): Promise<AsyncIterable<Message>>;
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
      async ask(settings) {
        return String((await create(settings).invoke("Say hello.")).content);
      },
      async stream(settings) {
        return await joined(contents(await create(settings).stream("Say hello.")));
      },
    },
  ];
}

async function* contents(messages: AsyncIterable<Message>) {
  for await (const { content } of messages) yield String(content);
}
