import OpenAI from "openai";

// Reads OPENAI_BASE_URL and OPENAI_API_KEY.
const openai = new OpenAI({ defaultHeaders: { "x-thread-id": "thread-42" } });

const chat = await openai.chat.completions.create({
  model: "any",
  messages: [{ role: "user", content: "Say hello." }],
  stream: true,
});
for await (const { choices } of chat) console.log(choices[0]?.delta.content ?? "");

const events = await openai.responses.create({ model: "any", input: "Say hello.", stream: true });
for await (const event of events) {
  if (event.type === "response.output_text.delta") console.log(event.delta);
}
