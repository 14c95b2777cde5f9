import type { UpstreamAnswer, UpstreamHandler } from "@countersign/testing";
import { ANSWER } from "./sdk-client.js";

const PARTS = ["Hello ", "there."];
const USAGE = { input_tokens: 1, output_tokens: 1 };

/** Answers chat completions, whole or as a stream. */
export const chatCompletionsApi: UpstreamHandler = ({ body }) => {
  const common = { id: "chat-1", created: 1, model: "any" };
  if (!isStreaming(body)) {
    const message = { role: "assistant", content: ANSWER };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    return { body: { ...common, object: "chat.completion", choices, usage } };
  }
  const chunk = (delta: object, finish_reason: string | null) => ({
    ...{ ...common, object: "chat.completion.chunk" },
    choices: [{ index: 0, delta, finish_reason }],
  });
  const deltas = PARTS.map((content) => chunk({ role: "assistant", content }, null));
  return events([...deltas, chunk({}, "stop")], ["[DONE]"]);
};

/** Answers messages, whole or as a stream. */
export const messagesApi: UpstreamHandler = ({ body }) => {
  const message = { id: "msg-1", type: "message", role: "assistant", model: "any", usage: USAGE };
  const end = { stop_reason: "end_turn", stop_sequence: null };
  if (!isStreaming(body)) {
    return { body: { ...message, ...end, content: [{ type: "text", text: ANSWER }] } };
  }
  const start = { ...message, content: [], stop_reason: null, stop_sequence: null };
  return events([
    { type: "message_start", message: start },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...PARTS.map((text) => ({
      ...{ type: "content_block_delta", index: 0 },
      delta: { type: "text_delta", text },
    })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: end, usage: USAGE },
    { type: "message_stop" },
  ]);
};

function isStreaming(body: string): boolean {
  return /"stream": ?true/.test(body);
}

function events(
  values: readonly Readonly<Record<string, unknown>>[],
  last: readonly string[] = [],
): UpstreamAnswer {
  const event = (value: Readonly<Record<string, unknown>>) => {
    const data = JSON.stringify(value);
    // Messages have a name as well. It may stand behind the data.
    return typeof value.type === "string" ? `${data}\nevent: ${value.type}` : data;
  };
  return { kind: "events", events: [...values.map(event), ...last] };
}
