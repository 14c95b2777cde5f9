import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";

/** A disk of 4 MiB; `undefined`: this user may not mount one. */
function mountDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "countersign-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Registers agents until one is refused, and gives the refusal. */
async function fill(tested: TestedAuthority, token: string) {
  for (;;) {
    const answer = await tested.registerAgent(token, AgentKey.generate(), {
      abom: { agent_version: "1", agent_harness_id: "x".repeat(100), running_location: "here" },
    });
    if (answer.status !== 200) return answer;
  }
}

describe("an authority whose SQLite database has no room", () => {
  it("answers 503 with Retry-After and is not ready, on a disk that is full, until there is room", async (context) => {
    const folder = mountDisk();
    if (folder === undefined) {
      console.warn("skipped: a full disk (root alone may mount one)");
      context.skip();
      return;
    }
    const database = `sqlite:${join(folder, "authority.db")}`;
    await using tested = await TestedAuthority.start({ database, rateLimits: "off" });
    const token = await tested.token();
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
    const filler = join(folder, "filler");
    try {
      writeFileSync(filler, Buffer.alloc(4 << 20));
    } catch {
      // As meant: it took what there was.
    }
    const answer = await fill(tested, token);
    expectRefusal(answer, 503, "server_error");
    expect(answer.headers["retry-after"]).toBe("1");
    expectRefusal(await tested.call("GET", "/readyz"), 503, "server_error");
    rmSync(filler);
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
  });

  it("answers 503 with Retry-After and is not ready at the largest size that it may have", async () => {
    await using tested = await TestedAuthority.start({ rateLimits: "off" });
    const token = await tested.token();
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
    await sql`pragma max_page_count = 1`.execute(tested.store.rows);
    const answer = await fill(tested, token);
    expectRefusal(answer, 503, "server_error");
    expect(answer.headers["retry-after"]).toBe("1");
    expectRefusal(await tested.call("GET", "/readyz"), 503, "server_error");
    await sql`pragma max_page_count = 1000000`.execute(tested.store.rows);
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
  });
});
