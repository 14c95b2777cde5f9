import { ErrorCode, OpenFeature, ProviderStatus } from "@openfeature/server-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineFeatures } from "./define-features.js";
import { configSource } from "./feature-source.js";
import { createOpenFeatureProvider } from "./openfeature.js";
import { resolveFeatures } from "./resolve-features.js";

const features = resolveFeatures(
  defineFeatures({
    use_agent_identity: { stage: "under_development", default: false, description: "Sign." },
    apps: { stage: "stable", default: true, description: "Apps.", aliases: ["connectors"] },
  }),
  [configSource({ file: "config.toml", table: { use_agent_identity: true } })],
);
const client = OpenFeature.getClient("feature-flags-test");

beforeAll(() =>
  OpenFeature.setProviderAndWait("feature-flags-test", createOpenFeatureProvider(features)),
);
afterAll(() => OpenFeature.close());

describe("the OpenFeature provider, behind the real SDK", () => {
  test("answers the caller's default for an unknown flag, with FLAG_NOT_FOUND", async () => {
    for (const key of ["nope", "__proto__", "constructor"]) {
      for (const fallback of [true, false]) {
        expect(await client.getBooleanDetails(key, fallback)).toMatchObject({
          value: fallback,
          reason: "ERROR",
          errorCode: ErrorCode.FLAG_NOT_FOUND,
        });
      }
      expect(await client.getStringDetails(key, "x")).toMatchObject({
        value: "x",
        errorCode: ErrorCode.FLAG_NOT_FOUND,
      });
    }
  });

  test("answers the caller's default for another type, with TYPE_MISMATCH", async () => {
    const key = "use_agent_identity";
    for (const details of [
      await client.getStringDetails(key, "x"),
      await client.getNumberDetails(key, 7),
      await client.getObjectDetails(key, { x: 1 }),
    ]) {
      expect(details).toMatchObject({ reason: "ERROR", errorCode: ErrorCode.TYPE_MISMATCH });
      expect(["x", 7, { x: 1 }]).toContainEqual(details.value);
    }
  });

  test("answers for an earlier name as for its key", async () => {
    const { flagKey: _, ...details } = await client.getBooleanDetails("apps", false);
    expect(await client.getBooleanDetails("connectors", false)).toMatchObject(details);
    expect(details).toMatchObject({ value: true, reason: "DEFAULT" });
    expect(await client.getNumberDetails("connectors", 7)).toMatchObject({
      value: 7,
      errorCode: ErrorCode.TYPE_MISMATCH,
    });
  });

  test("is not made of anything but a set of features", () => {
    for (const wrong of [undefined, [], {}]) {
      expect(() => createOpenFeatureProvider(wrong as never)).toThrow(
        expect.objectContaining({ name: "FeatureFlagError", code: "config_invalid" }),
      );
    }
  });

  test("answers what a source decided as STATIC, else as DEFAULT", async () => {
    expect(await client.getBooleanDetails("use_agent_identity", false)).toMatchObject({
      value: true,
      variant: "on",
      reason: "STATIC",
      flagMetadata: { stage: "under_development", source: "config" },
    });
    expect(await client.getBooleanDetails("apps", false)).toMatchObject({
      value: true,
      reason: "DEFAULT",
      flagMetadata: { stage: "stable", source: "default" },
    });
    expect(await client.getBooleanValue("use_agent_identity", false)).toBe(true);
  });

  test("is ready at once and names itself", () => {
    expect(client.providerStatus).toBe(ProviderStatus.READY);
    expect(client.metadata.providerMetadata.name).toBe("countersign-feature-flags");
  });
});
