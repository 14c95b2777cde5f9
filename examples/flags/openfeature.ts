import { defineFeatures, resolveFeatures, switchSource } from "@countersign/feature-flags";
import { createOpenFeatureProvider } from "@countersign/feature-flags/openfeature";
import { OpenFeature } from "@openfeature/server-sdk";

const registry = defineFeatures({
  new_parser: { stage: "experimental", default: false, description: "The new parser." },
});

export async function newParserIsOn(): Promise<boolean> {
  const features = resolveFeatures(registry, [switchSource({ enable: ["new_parser"] })]);
  await OpenFeature.setProviderAndWait(createOpenFeatureProvider(features));
  return OpenFeature.getClient().getBooleanValue("new_parser", false);
}
