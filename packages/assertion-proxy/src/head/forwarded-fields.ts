import { RequestRefusal } from "../refusal/request-refusal.js";
import {
  comparableName,
  isConnectionField,
  isForbiddenTrailer,
  isPlainName,
} from "./field-names.js";
import { parseForwardHeaders } from "./forward-headers.js";
import { type KeptBackKind, keptBackKind } from "./kept-back-fields.js";
import { connectionOptions, fieldLines, keepFields, type RawFields } from "./raw-fields.js";

/** Options of {@link createForwardedFields}. */
export interface ForwardedFieldsOptions {
  /** Names of fields that the proxy itself sets upstream, or reads and keeps, in any form. */
  readonly ownNames: readonly string[];
  /** Comparable names of fields that the proxy reads and lets pass. */
  readonly readNames: readonly string[];
  /** A kind of fields that a client may choose. Absent: none. */
  readonly passes?: KeptBackKind | undefined;
  /** Let `Cookie` pass. */
  readonly forwardCookies: boolean;
  /** Names that the operator lets pass, each as it is written, in any case. */
  readonly forwardHeaders: readonly string[];
}

/** Chooses what of a client's fields goes to the upstream. */
export interface ForwardedFields {
  /**
   * Judges the names of a header or trailer section, before anything of it is forwarded.
   *
   * @returns how many lines are not forwarded because their names hold other characters than letters, digits, `-` and `_`
   * @throws {RequestRefusal} `invalid_request` for such a name that compares equal to one that is kept back
   */
  checkNames(fields: RawFields): number;
  /** Copies the header lines that may pass, untouched and in order. */
  ofHeader(fields: RawFields): string[];
  /** Chooses, by a message's header lines, which of its trailers may pass; the choice takes a name as it came. */
  trailersOf(fields: RawFields): (rawName: string) => boolean;
}

/**
 * Makes the choice that both proxies share. Dropped are the fields of the connection and those it names, what `kept-back-fields.ts` lists,
 * what the proxy sets itself, and every name with a character that a server may read as another. All other fields pass as they came.
 *
 * @throws {AssertionProxyError} `config_invalid` for a name in `forwardHeaders` that may not pass
 * @see security.md "Both proxies build the outgoing request from nothing"
 */
export function createForwardedFields(options: ForwardedFieldsOptions): ForwardedFields {
  const { passes, forwardCookies } = options;
  const own = new Set(options.ownNames.map(comparableName));
  const isKeptBack = (name: string): boolean => {
    const kind = keptBackKind(name);
    return own.has(name) || (kind !== undefined && kind !== passes);
  };
  const isReserved = (name: string): boolean =>
    isConnectionField(name) || options.readNames.includes(name) || isKeptBack(name);
  const named = parseForwardHeaders(options.forwardHeaders, { own, isReserved });
  const isNamed = (rawName: string): boolean => named.has(rawName.toLowerCase());
  const mayPass = (rawName: string, name: string): boolean =>
    isNamed(rawName) ||
    (isPlainName(rawName) && !isKeptBack(name) && (forwardCookies || name !== "cookie"));

  return {
    checkNames(fields) {
      let unusual = 0;
      for (const { rawName, name } of fieldLines(fields)) {
        if (isPlainName(rawName) || isNamed(rawName)) continue;
        if (isReserved(name)) {
          throw new RequestRefusal(
            "invalid_request",
            // Without the name, which may hold a secret that folding has made hard to find.
            "a field name with unusual characters compares equal to a reserved one",
          );
        }
        unusual += 1;
      }
      return unusual;
    },
    ofHeader(fields) {
      const ofConnection = connectionOptions(fields);
      return keepFields(
        fields,
        ({ rawName, name }) =>
          !isConnectionField(name) && !ofConnection.has(name) && mayPass(rawName, name),
      );
    },
    trailersOf(fields) {
      const ofConnection = connectionOptions(fields);
      return (rawName) => {
        const name = comparableName(rawName);
        return !isForbiddenTrailer(name) && !ofConnection.has(name) && mayPass(rawName, name);
      };
    },
  };
}
