import { writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { temporaryDirectory } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { createRun } from "../../config/run.js";
import { exportCodexHome } from "./codex-export.js";

const AUTH = {
  tokens: { access_token: "old" },
  agent_identity: {
    agent_runtime_id: "agent_1",
    agent_private_key: AgentKey.generate().exportPkcs8(),
    account_id: "acct-1",
    chatgpt_user_id: "user-2",
  },
};

test.each([{ force: true }, { force: false }])(
  "an agent that Codex registers while the token is awaited is not lost (force: $force)",
  async ({ force }) => {
    const folder = await temporaryDirectory();
    onTestFinished(() => folder.remove());
    const codexHome = join(folder.path, "codex");
    const file = join(codexHome, "auth.json");
    await mkdir(codexHome, { mode: 0o700 });
    if (force) await writeFile(file, "{}", { mode: 0o600 });
    const run = createRun({ enable: [], disable: [] }, new AbortController().signal);
    const takeSecret = () => {
      writeFileSync(file, JSON.stringify(AUTH), { mode: 0o600 });
      return "t0ken";
    };
    const work = exportCodexHome(
      { ...run, home: join(folder.path, "home"), environment: { ...run.environment, takeSecret } },
      {
        codexHome,
        authority: "https://authority.example",
        gateway: "https://gateway.example",
        account: "acct-1",
        user: "user-1",
        force,
      },
    );
    await expect(work).rejects.toMatchObject({ code: "config_invalid" });
    expect(await readFile(file, "utf8")).toBe(JSON.stringify(AUTH));
  },
);
