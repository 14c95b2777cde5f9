import type { LimitUse } from "../registry/limit-use.js";
import type { AuthorityContext } from "./authority-context.js";

/** From this part of a limit on the operator is warned. */
const WARNED_FROM = 0.8;

/**
 * Counts a registration that used 80 % of a limit or more, and writes it to the log when exactly that part is reached: once for each time that
 * the limit fills up.
 *
 * @param subject - whose limit it is, by the names of the wire
 */
export function noteLimitUse(
  { observer, logger }: AuthorityContext,
  use: LimitUse | undefined,
  subject: Readonly<Record<string, string>>,
): void {
  if (use === undefined) return;
  const { of, used, limit } = use;
  const warnedFrom = Math.ceil(WARNED_FROM * limit);
  if (used < warnedFrom) return;
  observer?.nearLimit(of);
  if (used !== warnedFrom) return;
  const fields = { ...subject, limit_of: of, used, limit };
  const message = "80 % of a limit is used: at the limit, registrations are refused";
  if (logger?.warn === undefined) logger?.info(fields, message);
  else logger.warn(fields, message);
}
