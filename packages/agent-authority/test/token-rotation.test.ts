import { expectRejection } from "@countersign/testing/vitest";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AgentAuthorityError, type CreateAccessTokenOptions } from "../src/index.js";
import { remoteRegistry } from "../src/remote-registry.js";
import { NOON, TestedAuthority } from "./start-authority.js";

const DAY = 86_400;

let tested: TestedAuthority;

beforeAll(async () => {
  tested = await TestedAuthority.start();
});

beforeEach(() => {
  tested.clock.nowMs = NOON;
});

afterAll(() => tested[Symbol.asyncDispose]());

function make(options: Partial<CreateAccessTokenOptions> = {}) {
  const whose = {
    accountId: "acct-1",
    userId: "user-1",
    role: "human",
    ttlSeconds: 30 * DAY,
  } as const;
  return tested.authority.registry.createAccessToken({ ...whose, ...options });
}

const whoami = async (token: string) =>
  (await tested.call("GET", "/v1/whoami", { headers: { authorization: `Bearer ${token}` } }))
    .status;

describe("the rotation of a token", () => {
  it("is refused for numbers out of range, an unknown token, and one that has ended", async () => {
    const { registry } = tested.authority;
    const { id } = await make();
    for (const options of [
      { overlapSeconds: -1 },
      { overlapSeconds: 2_592_001 },
      { overlapSeconds: 0.5 },
      { ttlSeconds: 0 },
      { reason: "" },
    ]) {
      const rotating = registry.rotateAccessToken(id, options);
      await expectRejection(rotating, AgentAuthorityError, "invalid_request");
    }
    expect(await registry.rotateAccessToken("token_x")).toBeUndefined();
    await registry.revokeAccessToken(id);
    await expectRejection(registry.rotateAccessToken(id), AgentAuthorityError, "invalid_request");
    const barred = await make({ userId: "barred" });
    await registry.revokeUser("acct-1", "barred");
    const rotating = registry.rotateAccessToken(barred.id);
    await expectRejection(rotating, AgentAuthorityError, "invalid_request");
    const short = await make({ ttlSeconds: 1 });
    tested.clock.nowMs += 1_000;
    await expectRejection(
      registry.rotateAccessToken(short.id),
      AgentAuthorityError,
      "invalid_request",
    );
  });

  it("gives a token that is the same but for its secret, and takes the former one during the overlap (G-A52)", async () => {
    const { registry } = tested.authority;
    const options = {
      role: "operate",
      name: "deploys",
      scopes: ["tokens"],
      accounts: ["acct-1", "acct-2"],
      userId: "rotated",
    } as const;
    const former = await make(options);
    tested.clock.nowMs += 10 * DAY * 1_000;
    const rotated = await registry.rotateAccessToken(former.id, { reason: "spring" });
    expect(rotated).toMatchObject({ formerId: former.id, formerExpiresAt: "2026-04-26T12:00:00Z" });
    const [old, created] = await registry.listAccessTokens({ userId: "rotated" });
    expect(old).toMatchObject({ id: former.id, expiresAt: "2026-04-26T12:00:00Z" });
    const { accountId: _a, userId: _u, ...rights } = { accountId: "", ...options };
    expect(created).toMatchObject({
      ...rights,
      id: rotated?.id,
      // As long as the former one from its making on.
      expiresAt: "2026-05-25T12:00:00Z",
    });
    const ask = async (token: string) =>
      (
        await tested.callAdmin("GET", "/v1/admin/agents", {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    expect([await ask(former.token), await ask(rotated?.token ?? "")]).toEqual([200, 200]);
    tested.clock.nowMs += DAY * 1_000;
    expect([await ask(former.token), await ask(rotated?.token ?? "")]).toEqual([401, 200]);
    const events = await registry.listAuditEvents({ userId: "rotated", last: 2 });
    expect(events).toMatchObject([
      { action: "access_token_created", accessTokenId: rotated?.id, reason: "spring" },
      { action: "access_token_rotated", accessTokenId: former.id, reason: "spring" },
    ]);
  });

  it("ends the former one at once, or at its own end, if that is sooner (G-A52)", async () => {
    const { registry } = tested.authority;
    const leaked = await make();
    const rotated = await registry.rotateAccessToken(leaked.id, { overlapSeconds: 0 });
    expect([await whoami(leaked.token), await whoami(rotated?.token ?? "")]).toEqual([401, 200]);
    const short = await make({ ttlSeconds: 60 });
    const longer = await registry.rotateAccessToken(short.id, { ttlSeconds: DAY });
    expect(longer).toMatchObject({
      expiresAt: "2026-04-16T12:00:00Z",
      formerExpiresAt: "2026-04-15T12:01:00Z",
    });
  });

  it("gives the same lifetime again if it is repeated, and no longer overlap (G-A52)", async () => {
    const { registry } = tested.authority;
    const { id } = await make({ ttlSeconds: 90 * DAY });
    tested.clock.nowMs += DAY * 1_000;
    const ends = { expiresAt: "2026-07-15T12:00:00Z", formerExpiresAt: "2026-04-17T12:00:00Z" };
    for (let round = 0; round < 3; round += 1) {
      expect(await registry.rotateAccessToken(id)).toMatchObject(ends);
    }
    const { id: shorter } = await make({ ttlSeconds: 90 * DAY });
    for (const overlapSeconds of [60, 3_600, 30]) {
      expect(await registry.rotateAccessToken(shorter, { overlapSeconds })).toMatchObject({
        expiresAt: "2026-07-15T12:00:00Z",
        formerExpiresAt: overlapSeconds === 30 ? "2026-04-16T12:00:30Z" : "2026-04-16T12:01:00Z",
      });
    }
    expect(await registry.rotateAccessToken(shorter, { ttlSeconds: 60 })).toMatchObject({
      expiresAt: "2026-04-16T12:01:00Z",
    });
  });

  it("hides the token from whatever prints its answer", async () => {
    const rotated = await tested.authority.registry.rotateAccessToken((await make()).id);
    expect(JSON.stringify(rotated)).not.toContain(rotated?.token);
  });

  it("gives no token of more rights than the one that asks, nor says that there is one (G-A50)", async () => {
    const asker = await make({ role: "operate", scopes: ["tokens"], accounts: ["acct-1"] });
    const registry = remoteRegistry({
      url: await tested.adminUrl(),
      token: asker.token,
      attempts: 1,
    });
    const wide = await make({ role: "read" });
    expect(await registry.rotateAccessToken(wide.id)).toBeUndefined();
    const other = await make({ accountId: "acct-2" });
    expect(await registry.rotateAccessToken(other.id)).toBeUndefined();
    expect(await registry.rotateAccessToken(asker.id)).toMatchObject({ formerId: asker.id });
    expect(await registry.rotateAccessToken((await make()).id)).toMatchObject({
      token: expect.stringMatching(/^cs_human_/),
    });
  });
});
