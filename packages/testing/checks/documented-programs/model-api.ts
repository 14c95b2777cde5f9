import { startTestUpstream, type TestUpstream, type UpstreamAnswer } from "@countersign/testing";

const HALVES = ["hel", "lo"];
const WHOLE = HALVES.join("");

/** Starts an API that answers "hello" to chat completions, responses and messages, streamed where that is asked for, and to MCP's `ping`. */
export function startModelApi(): Promise<TestUpstream> {
  return startTestUpstream(({ method, url, body }) => {
    if (method === "GET") return { status: 405 };
    if (url.startsWith("/mcp")) return answerTool(body);
    const isStreaming = /"stream": ?true/.test(body);
    if (url.endsWith("/responses")) return streamResponse();
    if (url.endsWith("/messages")) return { body: MESSAGE };
    return isStreaming ? streamChat() : { body: CHAT };
  });
}

const CHAT = {
  ...{ id: "chat-1", object: "chat.completion", created: 1, model: "any" },
  choices: [{ index: 0, message: { role: "assistant", content: WHOLE }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
const MESSAGE = {
  ...{ id: "msg-1", type: "message", role: "assistant", model: "any" },
  content: [{ type: "text", text: WHOLE }],
  ...{ stop_reason: "end_turn", stop_sequence: null },
  usage: { input_tokens: 1, output_tokens: 1 },
};

function streamChat(): UpstreamAnswer {
  const chunks = [...HALVES, undefined].map((content) => ({
    ...{ id: "chat-1", object: "chat.completion.chunk", created: 1, model: "any" },
    choices: [
      {
        index: 0,
        delta: content === undefined ? {} : { role: "assistant", content },
        finish_reason: content === undefined ? "stop" : null,
      },
    ],
  }));
  return { kind: "events", events: [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"] };
}

function streamResponse(): UpstreamAnswer {
  const response = { id: "resp_1", object: "response", status: "completed", output: [] };
  const place = { output_index: 0, content_index: 0, item_id: "msg_1" };
  const events = [
    { type: "response.created", response },
    ...HALVES.map((delta) => ({ type: "response.output_text.delta", ...place, delta })),
    { type: "response.completed", response },
  ];
  return { kind: "events", events: events.map((event) => JSON.stringify(event)) };
}

function answerTool(body: string): UpstreamAnswer {
  const { id } = JSON.parse(body);
  return id === undefined ? { status: 202 } : { body: { jsonrpc: "2.0", id, result: {} } };
}
