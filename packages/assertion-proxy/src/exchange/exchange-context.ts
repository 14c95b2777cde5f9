import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestPlace } from "../limits/request-places.js";
import type { Audit } from "../refusal/audit-entry.js";
import type { Delivery } from "./delivery.js";
import type { LiveRecheck } from "./live-recheck.js";
import type { RelayContext, RelayInput } from "./relay.js";
import type { UpgradeConnection } from "./upgrade-connection.js";

/** What all exchanges of a proxy share. */
export interface ExchangeContext extends Omit<RelayContext, "upstream" | "agent"> {
  /** Makes what brings an admitted request to its answer. */
  readonly deliver: (input: RelayInput) => Delivery;
  readonly recheck: LiveRecheck;
  readonly audit: Audit | undefined;
  /** Whether entries can be kept now: no request is served while they cannot. */
  readonly canAudit: () => boolean;
  readonly now: () => number;
  /** Whether new requests are refused because the proxy is about to end. */
  readonly isEnding: () => boolean;
  /** Takes a place for one more. Throws the refusal when there is none. */
  readonly takePlace: (request: IncomingMessage) => RequestPlace;
}

/** What a client sent, and where it is answered. */
export interface ExchangeInput {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The connection that the request asks to upgrade. */
  readonly upgrade?: UpgradeConnection | undefined;
}

/** Called by an {@link Exchange}, each at most once. */
export interface ExchangeEvents {
  /** Its signature held, and there was a place for it. */
  readonly onVerified: () => void;
  /** It is over. */
  readonly onEnd: () => void;
}
