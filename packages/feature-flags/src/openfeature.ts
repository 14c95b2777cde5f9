import type { ErrorCode, JsonValue, Provider, ResolutionDetails } from "@openfeature/server-sdk";
import { checkOption, isObject } from "./check-option.js";
import type { FeatureSet, FeatureState } from "./feature-set.js";

/**
 * Lets the features of this process be asked for through OpenFeature. Only boolean flags exist; the evaluation context is not looked at.
 *
 * An earlier name (alias) of a feature answers as its key does. A key that is not in the set answers the caller's default with
 * `FLAG_NOT_FOUND`, a request for another type than boolean with `TYPE_MISMATCH`, as the OpenFeature specification asks (§2.2). The reason is
 * `STATIC`, or `DEFAULT` where no source decided.
 *
 * @throws {FeatureFlagError} `config_invalid` if `features` is not a set of features
 * @see https://openfeature.dev/specification/sections/providers
 */
export function createOpenFeatureProvider(features: FeatureSet): Provider {
  const isSet = isObject(features) && typeof features.find === "function";
  checkOption("features", isSet, "what resolveFeatures returns", features);
  const mismatch = <T>(key: string, value: T): Promise<ResolutionDetails<T>> =>
    Promise.resolve(
      features.find(key) !== undefined
        ? refusal(value, "TYPE_MISMATCH", "the feature is a boolean")
        : refusal(value, "FLAG_NOT_FOUND", "no such feature"),
    );
  return {
    metadata: { name: "countersign-feature-flags" },
    runsOn: "server",
    resolveBooleanEvaluation(key, defaultValue) {
      const state = features.find(key);
      return Promise.resolve(
        state === undefined
          ? refusal(defaultValue, "FLAG_NOT_FOUND", "no such feature")
          : details(state),
      );
    },
    resolveStringEvaluation: (key, defaultValue) => mismatch(key, defaultValue),
    resolveNumberEvaluation: (key, defaultValue) => mismatch(key, defaultValue),
    resolveObjectEvaluation: <T extends JsonValue>(key: string, defaultValue: T) =>
      mismatch(key, defaultValue),
  };
}

function details({ enabled, source, stage }: FeatureState): ResolutionDetails<boolean> {
  return {
    value: enabled,
    variant: enabled ? "on" : "off",
    reason: source === "default" ? "DEFAULT" : "STATIC",
    flagMetadata: { stage, source },
  };
}

// The SDK is a peer for its types alone; its enum of codes has these texts as values.
function refusal<T>(value: T, code: `${ErrorCode}`, errorMessage: string): ResolutionDetails<T> {
  return { value, reason: "ERROR", errorCode: code as ErrorCode, errorMessage };
}
