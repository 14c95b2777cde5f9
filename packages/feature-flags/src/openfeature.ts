import type { ErrorCode, JsonValue, Provider, ResolutionDetails } from "@openfeature/server-sdk";
import type { FeatureSet, FeatureState } from "./feature-set.js";

/**
 * Lets the features of this process be asked for through OpenFeature. Only boolean flags exist; the evaluation context is not looked at.
 *
 * A key that is not in the set answers the caller's default with `FLAG_NOT_FOUND`, a request for another type than boolean with
 * `TYPE_MISMATCH`, as the OpenFeature specification asks (§2.2). The reason is `STATIC`, or `DEFAULT` where no source decided.
 *
 * @see https://openfeature.dev/specification/sections/providers
 */
export function createOpenFeatureProvider(features: FeatureSet): Provider {
  const states = new Map<string, FeatureState>(features.list().map((state) => [state.key, state]));
  const mismatch = <T>(key: string, value: T): Promise<ResolutionDetails<T>> =>
    Promise.resolve(
      states.has(key)
        ? refusal(value, "TYPE_MISMATCH", "the feature is a boolean")
        : refusal(value, "FLAG_NOT_FOUND", "no such feature"),
    );
  return {
    metadata: { name: "countersign-feature-flags" },
    runsOn: "server",
    resolveBooleanEvaluation(key, defaultValue) {
      const state = states.get(key);
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
