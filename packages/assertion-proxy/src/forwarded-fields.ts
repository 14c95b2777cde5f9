import { comparableName, isConnectionField, isForbiddenTrailer } from "./field-names.js";
import { connectionOptions, keepFields, type RawFields } from "./raw-fields.js";

/** What a client may never say to an upstream, since the upstream would believe that the proxy said it. */
const DROPPED_NAMES: ReadonlySet<string> = new Set([
  "authorization",
  "forwarded",
  "true-client-ip",
  "x-client-ip",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-host",
  "x-original-url",
  "x-real-ip",
  "x-rewrite-url",
]);
// A handshake's own fields are made anew where there is one.
const DROPPED_PREFIXES = ["sec-websocket-", "x-agent-", "x-forwarded-"] as const;

/** Options of {@link createForwardedFields}. */
export interface ForwardedFieldsOptions {
  /** Names of fields that the proxy itself sets upstream, in any form. */
  readonly ownNames: Iterable<string>;
  /** Let `Cookie` pass. */
  readonly forwardCookies: boolean;
}

/** Chooses what of a client's fields goes to the upstream. */
export interface ForwardedFields {
  /** Copies the header lines that may pass, untouched and in order. */
  ofHeader(fields: RawFields): string[];
  /** Chooses, by a message's header lines, which of its trailers may pass; the choice takes a comparable name. */
  trailersOf(fields: RawFields): (name: string) => boolean;
}

/**
 * Makes the choice that both proxies share: dropped are the fields of the connection and those it names, credentials, `x-agent-*`,
 * `x-forwarded-*` and the like, and whatever the proxy sets itself. All other fields pass as they came.
 *
 * @see security.md "Both proxies build the outgoing request from nothing"
 */
export function createForwardedFields(options: ForwardedFieldsOptions): ForwardedFields {
  const own = new Set([...options.ownNames].map(comparableName));
  const mayPass = (name: string): boolean =>
    !DROPPED_NAMES.has(name) &&
    !DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
    !own.has(name) &&
    (options.forwardCookies || name !== "cookie");
  return {
    ofHeader(fields) {
      const named = connectionOptions(fields);
      return keepFields(
        fields,
        ({ name }) => !isConnectionField(name) && !named.has(name) && mayPass(name),
      );
    },
    trailersOf(fields) {
      const named = connectionOptions(fields);
      return (name) => !isForbiddenTrailer(name) && !named.has(name) && mayPass(name);
    },
  };
}
