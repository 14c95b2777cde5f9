/** How finished a feature is, from the first line of code to its end. */
export const STAGES = [
  "under_development",
  "experimental",
  "stable",
  "deprecated",
  "removed",
] as const;

/**
 * One stage of {@link STAGES}.
 *
 * `under_development`: incomplete, warned of whenever it is on. `experimental`: complete, may still change. `stable`: may be relied on.
 * `deprecated`: works, warned of whenever it is set. `removed`: the name alone is left; setting it warns and changes nothing.
 */
export type Stage = (typeof STAGES)[number];
