import { connectAgent } from "@countersign/agent";

const api = "http://127.0.0.1:4700";
const agent = connectAgent({
  authority: "http://127.0.0.1:4600",
  accessToken: process.env.ACCESS_TOKEN ?? "",
  home: "~/.my-agent",
  origins: [api],
});

const thread = agent.thread("thread-42");
const answer = await thread.run(() => thread.fetch(`${api}/v1/hello`, { method: "POST" }));
console.log(answer.status, await answer.text());
await agent.close();
