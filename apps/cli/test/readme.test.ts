import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, openStore } from "@countersign/agent-authority";
import { runProcess, startProcess, temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";

const README = join(import.meta.dirname, "../../../README.md");
const EXAMPLES = join(import.meta.dirname, "examples");

for (const name of ["agent.ts", "api.ts"]) {
  test(`the README shows ${name} as it is compiled and run here`, async () => {
    const readme = await readFile(README, "utf8");
    const example = await readFile(join(EXAMPLES, name), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
  });
}

test("the README's agent is verified by the README's API", async () => {
  await using folder = await temporaryDirectory();
  const store = await openStore(`sqlite:${join(folder.path, "authority.db")}`);
  const authority = await createAuthority({ store });
  try {
    const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
    const { token } = await authority.registry.createAccessToken({
      accountId: "acct-1",
      userId: "user-1",
      role: "human",
      ttlSeconds: 60,
    });
    await using api = await startProcess(process.execPath, [join(EXAMPLES, "api.ts")], {
      env: { AUTHORITY: url, PORT: "0" },
    });
    const [, port] = await api.waitForLine(/^listening .* port: (\d+)/);
    const agent = await runProcess(process.execPath, [join(EXAMPLES, "agent.ts")], {
      env: {
        AUTHORITY: url,
        API: `http://127.0.0.1:${port}`,
        ACCESS_TOKEN: token,
        AGENT_HOME: join(folder.path, "home"),
      },
    });
    const [task] = await authority.registry.listTasks();
    expect(agent).toMatchObject({
      code: 0,
      stdout: `200 ${task?.agentRuntimeId} in ${task?.taskId}\n`,
      stderr: "",
    });
  } finally {
    await authority.close();
    await store.close();
  }
});
