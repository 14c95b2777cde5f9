import {
  configSource,
  defineFeatures,
  environmentSource,
  resolveFeatures,
  switchSource,
} from "@countersign/feature-flags";

const registry = defineFeatures({
  new_parser: { stage: "under_development", default: false, description: "The new parser." },
  colour_output: { stage: "stable", default: true, description: "Colours.", aliases: ["colours"] },
});

export function listFeatures(table: unknown, env: Record<string, string | undefined>): string[] {
  const features = resolveFeatures(registry, [
    configSource({ file: "config.toml", table }),
    environmentSource({ env, prefix: "MY_APP_FEATURE_" }),
    switchSource({ enable: [], disable: [] }),
  ]);
  return [
    ...features.list().map(({ key, stage, enabled, source }) => {
      return `${key} ${stage} ${enabled} ${source}`;
    }),
    ...features.warnings.map(({ message }) => `warning: ${message}`),
  ];
}
