// Put in by the build (tsup.config.ts); absent where the source runs as it is.
declare const COUNTERSIGN_VERSION: string | undefined;

/** Version of this package. */
export const VERSION: string =
  typeof COUNTERSIGN_VERSION === "string" ? COUNTERSIGN_VERSION : "0.0.0-source";
