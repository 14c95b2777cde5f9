import type { AssertionOptions, WarningCode } from "./assertion-options.js";

/** How many origins are remembered, so that a client of the whole web costs no memory. */
const MAX_ORIGINS = 100;

/** The warnings of one transport, each of them once. */
export interface TransportWarnings {
  /** A request kept its own `Authorization`, and is not signed. */
  kept(url: URL): void;
  /** Fields of a request were replaced or left out. */
  replaced(url: URL, fields: readonly string[]): void;
  /** A request goes to an origin of which no URL is named. */
  unnamed(url: URL): void;
}

/** Makes the warnings of one transport. No value of a field is in them. */
export function transportWarnings(
  { onWarning }: AssertionOptions,
  namedOrigins: readonly string[],
): TransportWarnings {
  let hasWarnedOfOwn = false;
  const unnamed = new Set<string>();
  const warn = (code: WarningCode, message: string) => {
    if (onWarning === undefined) process.emitWarning(message, { code });
    else onWarning(message, code);
  };
  const warnOfOwn = (message: string) => {
    if (hasWarnedOfOwn) return;
    hasWarnedOfOwn = true;
    warn("COUNTERSIGN_OWN_AUTHORIZATION", message);
  };
  return {
    kept: ({ origin }) =>
      warnOfOwn(
        `a request to ${origin} has its own Authorization, which is kept: it is not signed`,
      ),
    replaced: ({ origin }, fields) =>
      warnOfOwn(
        `a request to ${origin} has a credential of its own (${fields.join(", ")}), which is not sent: the credential of the thread takes its place. ` +
          "To end this warning, give the client no key, or choose by ownAuthorization and keepFields what is sent",
      ),
    unnamed({ origin }) {
      if (unnamed.has(origin) || unnamed.size === MAX_ORIGINS) return;
      unnamed.add(origin);
      warn(
        "COUNTERSIGN_UNNAMED_ORIGIN",
        `a request to ${origin} is not signed: origins names ${namedOrigins.join(", ")}. ` +
          "Add the origin to origins, as the client calls it and with its port, or use another client for it",
      );
    },
  };
}
