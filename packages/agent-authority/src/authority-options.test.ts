import { AgentKeyError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { openScratchStore } from "../test/start-authority.js";
import { AgentAuthorityError } from "./agent-authority-error.js";
import type { AuthorityOptions } from "./authority-types.js";
import { createAuthority } from "./create-authority.js";

describe("createAuthority", () => {
  it("rejects options out of their range", async () => {
    await using store = await openScratchStore();
    const options: Partial<Record<keyof AuthorityOptions, unknown>>[] = [
      { generations: [] },
      { generations: ["D"] },
      { generations: ["A", "D"] },
      { capabilities: ["a b"] },
      { capabilities: [""] },
      { agentTtlSeconds: 0 },
      { agentTtlSeconds: 1.5 },
      { taskTtlSeconds: Number.POSITIVE_INFINITY },
      { taskIdleTtlSeconds: 599 },
      { maxLiveAgents: 0 },
      { maxLiveTasks: -1 },
      { maxSkewSeconds: 3_601 },
    ];
    for (const option of options) {
      const promise = createAuthority({ store, ...(option as Partial<AuthorityOptions>) });
      await expectRejection(promise, AgentAuthorityError, "config_invalid");
    }
  });

  it("rejects a public URL that is not a URL, or is plain http to another machine", async () => {
    await using store = await openScratchStore();
    for (const publicUrl of [
      "",
      "authority.example",
      "http://authority.example",
      "https://u:p@authority.example",
      "https://authority.example/?x",
    ]) {
      const promise = createAuthority({ store, publicUrl });
      await expectRejection(promise, AgentKeyError, "config_invalid");
    }
    const authority = await createAuthority({ store, publicUrl: "https://authority.example/" });
    await expect(authority.close()).resolves.toBeUndefined();
  });

  it("rejects two issuers with one name or one URL", async () => {
    await using store = await openScratchStore();
    const issuer = (name: string, url: string) => ({
      name,
      issuer: url,
      authenticate: async () => undefined,
    });
    for (const humans of [
      [issuer("corp", "https://a.example"), issuer("corp", "https://b.example")],
      [issuer("corp", "https://a.example"), issuer("other", "https://a.example")],
    ]) {
      await expectRejection(
        createAuthority({ store, humans }),
        AgentAuthorityError,
        "config_invalid",
      );
    }
    const humans = [issuer("corp", "https://a.example"), issuer("other", "https://b.example")];
    await (await createAuthority({ store, humans })).close();
  });
});
