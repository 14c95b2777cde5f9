import { withAssertion } from "@countersign/agent-assertion/fetch";
import { refusalOf } from "@countersign/ai";
import { chatCompletionsApi } from "@countersign/testing";
import { CHILD_AGENTS } from "./child-agents.js";
import type { Integration, IntegrationCall } from "./integration.js";
import type { SdkClient } from "./sdk-client.js";
import { SDK_CLIENTS } from "./sdk-clients.js";

const OF_ERRORS: Pick<Integration, "nameOf" | "codeOf"> = {
  nameOf: (error) => Object(error).constructor.name,
  codeOf: (error) => refusalOf(error)?.code,
};

/** An SDK as the helper of `@countersign/ai` sets it up. */
function sdkIntegration(client: SdkClient): Integration {
  return {
    name: client.name,
    api: client.api,
    missesBrokenStream: client.missesBrokenStream ?? false,
    async start({ thread, tap }) {
      const settings = { origin: tap.url, ...client.helped(thread, tap.url) };
      return {
        ask: (call) => client.ask({ ...settings, ...call }),
        stream: (call) => client.stream({ ...settings, ...call }),
      };
    },
    ...OF_ERRORS,
  };
}

const FETCH: Integration = {
  name: "`fetch`, by `withAssertion`",
  api: chatCompletionsApi,
  async start({ thread, tap }) {
    const signed = withAssertion(fetch, thread, { origins: [tap.url] });
    const answerTo = async (body: object, { signal }: IntegrationCall): Promise<string> => {
      const init = { method: "POST", body: JSON.stringify(body), ...(signal && { signal }) };
      return await (await signed(`${tap.url}/v1/chat/completions`, init)).text();
    };
    return {
      ask: async (call) => JSON.parse(await answerTo({}, call)).choices[0].message.content,
      async stream(call) {
        const events = await answerTo({ stream: true }, call);
        const data = [...events.matchAll(/^data: (\{.*)$/gm)].map(([, text = ""]) => text);
        return data.map((text) => JSON.parse(text).choices[0].delta.content ?? "").join("");
      },
    };
  },
  ...OF_ERRORS,
};

/** Every row of docs/integrations.md. */
export const INTEGRATIONS: readonly Integration[] = [
  ...SDK_CLIENTS.map(sdkIntegration),
  FETCH,
  ...CHILD_AGENTS,
];
