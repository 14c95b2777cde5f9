// One call of OpenAI's client, as its environment sets it up. Arguments: `ask` or `stream`, and how often it may repeat a request. Prints the
// answer, or the error in one line of standard error.
import OpenAI from "openai";

const [, , how, maxRetries] = process.argv;
const question = { model: "any", messages: [{ role: "user", content: "Say hello." }] };
try {
  const client = new OpenAI(maxRetries === undefined ? {} : { maxRetries: Number(maxRetries) });
  let text = "";
  if (how === "stream") {
    const chunks = await client.chat.completions.create({ ...question, stream: true });
    for await (const { choices } of chunks) text += choices[0]?.delta.content ?? "";
  } else {
    text = (await client.chat.completions.create(question)).choices[0]?.message.content ?? "";
  }
  process.stdout.write(text);
} catch (error) {
  const { name } = error.constructor;
  const { message, code } = error;
  process.stderr.write(`${JSON.stringify({ name, code, message })}\n`);
  process.exitCode = 1;
}
