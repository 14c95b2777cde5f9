import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { taskStoreContract } from "@countersign/agent-task/store-contract";
import { sessionLogStore } from "./session-log.js";

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "session-log-"));
  const file = join(folder, "session.jsonl");
  return { open: () => sessionLogStore(file), close: () => rm(folder, { recursive: true }) };
}

for (const { name, run } of taskStoreContract({ start })) test(name, run);
