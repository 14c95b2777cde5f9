import { numberIn, type OptionShape } from "@countersign/agent-key";
import { checkOptions } from "../internal/options.js";

/** How a verifier looks up agents and tasks under whose ids nothing was proven to it yet. Agents and tasks are counted apart. */
export interface LookupLimits {
  /** Such lookups that run at the same time; half of them for one source. 1 or more. Default 8. */
  readonly maxRunning: number;
  /** Such lookups that wait; half of them for one source. More are refused. 1 or more. Default 1,024. */
  readonly maxWaiting: number;
  /** Ids that one source may name in a minute and that do not exist, before its lookups are refused. 1 or more. Default 600. */
  readonly unknownPerMinute: number;
}

/** A caller's part of {@link LookupLimits}. */
export type LookupLimitOptions = { readonly [Name in keyof LookupLimits]?: number | undefined };

const DEFAULTS: LookupLimits = { maxRunning: 8, maxWaiting: 1_024, unknownPerMinute: 600 };
const MOST = 1_000_000;

const SHAPES: Readonly<Record<keyof LookupLimits, OptionShape>> = {
  maxRunning: numberIn(1, MOST),
  maxWaiting: numberIn(1, MOST),
  unknownPerMinute: numberIn(1, MOST),
};

/** Fills in the defaults. Throws `config_invalid` for a limit that is not an integer in its range. */
export function resolveLookupLimits(options: LookupLimitOptions = {}): LookupLimits {
  checkOptions(options, SHAPES);
  return {
    maxRunning: options.maxRunning ?? DEFAULTS.maxRunning,
    maxWaiting: options.maxWaiting ?? DEFAULTS.maxWaiting,
    unknownPerMinute: options.unknownPerMinute ?? DEFAULTS.unknownPerMinute,
  };
}
