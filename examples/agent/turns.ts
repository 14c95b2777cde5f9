import { connectAgent } from "@countersign/agent";

export async function takeTurns(authority: string, accessToken: string, api: string, home: string) {
  const agent = connectAgent({ authority, accessToken, home, origins: [api] });
  const thread = agent.thread("thread-42");
  try {
    const answers = [];
    for (const prompt of ["hello", "and again"]) {
      const answer = await thread.run(() =>
        thread.fetch(`${api}/v1/hello`, { method: "POST", body: prompt, signal: thread.signal }),
      );
      answers.push(await answer.text());
    }
    return answers;
  } finally {
    await agent.close();
  }
}
