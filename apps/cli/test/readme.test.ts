import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
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

/** The README's command that bundles its agent, for files elsewhere. */
async function bundle(folder: string): Promise<string> {
  const readme = await readFile(README, "utf8");
  const [, command = ""] = /^npx esbuild (agent\.ts .*)$/m.exec(readme) ?? [];
  const file = join(folder, "agent.mjs");
  const line = command.replace("agent.ts", '"$AGENT"').replace("agent.mjs", '"$BUNDLE"');
  const require = createRequire(import.meta.url);
  const shell = `"$NODE" "$ESBUILD" --log-level=error ${line}`;
  const built = await runProcess("bash", ["-euc", shell], {
    env: {
      NODE: process.execPath,
      ESBUILD: require.resolve("esbuild/bin/esbuild"),
      AGENT: join(EXAMPLES, "agent.ts"),
      BUNDLE: file,
    },
  });
  expect(built, built.stderr).toMatchObject({ code: 0 });
  return file;
}

const AS_IT_IS = async () => join(EXAMPLES, "agent.ts");

test.each([
  ["as it is", AS_IT_IS],
  ["bundled by the README's command, in a folder without packages", bundle],
])("the README's agent, %s, is verified by the README's API", async (_, programIn) => {
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
    const agent = await runProcess(process.execPath, [await programIn(folder.path)], {
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
