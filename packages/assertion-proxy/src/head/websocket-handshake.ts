import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { connectionOptions, fieldValues, listed, type RawFields } from "./raw-fields.js";

/** What a client asks for with `Upgrade: websocket`; checked. */
export interface WebSocketOffer {
  /** Base64 of 16 bytes. */
  readonly key: string;
  /** Those that the upstream is offered. */
  readonly protocols: readonly string[];
  /** Those that contain a secret of the client, and end at the proxy. */
  readonly ownProtocols: readonly string[];
  /** Each with its parameters, as the client wrote it. */
  readonly extensions: readonly string[];
}

// RFC 6455 §1.3: what a server appends to the key, to show that it knows the protocol.
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const VERSION = "13";
const PROTOCOL_NAME = "websocket";

const KEY = /^[+/0-9A-Za-z]{21}[AQgw]==$/;
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const PROTOCOL = new RegExp(`^${TOKEN}$`);
const EXTENSION = new RegExp(
  `^${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|"${TOKEN}"))?)*$`,
);

/**
 * Returns whether a client offers to switch to WebSocket, alone or among other protocols. `Upgrade` in HTTP/1.0 is ignored.
 *
 * @see RFC 9110 §7.8
 */
export function offersWebSocket({
  rawHeaders,
  httpVersion,
}: Pick<IncomingMessage, "rawHeaders" | "httpVersion">): boolean {
  if (httpVersion !== "1.1") return false;
  return listed(rawHeaders, "upgrade").some((protocol) => protocol.toLowerCase() === PROTOCOL_NAME);
}

/**
 * Reads the opening handshake of a WebSocket client.
 *
 * @param fields - the raw fields of a GET request of HTTP/1.1 without a body that {@link offersWebSocket}
 * @param isSecret - returns whether a text contains a secret that does not go to the upstream; absent: no text does
 * @throws {RequestRefusal} `invalid_request` for a `Connection` that does not name the upgrade, a key, version, subprotocol or extension that
 * is not valid, and a secret that only several items together contain
 * @see RFC 6455 §4.2.1
 */
export function parseWebSocketOffer(
  fields: RawFields,
  isSecret: (text: string) => boolean = () => false,
): WebSocketOffer {
  if (!connectionOptions(fields).has("upgrade")) {
    throw refusal("Connection does not name Upgrade, which offers a WebSocket");
  }
  const [key = "", secondKey] = fieldValues(fields, "sec-websocket-key");
  if (secondKey !== undefined || !KEY.test(key)) throw refusal("the Sec-WebSocket-Key is not one");
  const versions = fieldValues(fields, "sec-websocket-version");
  if (versions.length !== 1 || versions[0] !== VERSION) {
    throw refusal("the only Sec-WebSocket-Version that is served is 13");
  }
  const protocols = listed(fields, "sec-websocket-protocol");
  if (!protocols.every((name) => PROTOCOL.test(name))) {
    throw refusal("the Sec-WebSocket-Protocol is not a list of names");
  }
  const extensions = listed(fields, "sec-websocket-extensions");
  if (!extensions.every((extension) => EXTENSION.test(extension))) {
    throw refusal("the Sec-WebSocket-Extensions are not a list of extensions");
  }
  for (const items of [protocols, extensions]) {
    // A secret that holds a comma is in no single item.
    if (isSecret(items.join(",")) && !items.some(isSecret)) {
      throw refusal("the items of one Sec-WebSocket field together contain the client token");
    }
  }
  return {
    key,
    protocols: protocols.filter((name) => !isSecret(name)),
    ownProtocols: protocols.filter(isSecret),
    extensions: extensions.filter((extension) => !isSecret(extension)),
  };
}

/** Returns the fields of the opening handshake towards the upstream. */
export function handshakeFields(offer: WebSocketOffer): string[] {
  return [
    ...["connection", "Upgrade", "upgrade", "websocket"],
    ...["sec-websocket-key", offer.key, "sec-websocket-version", VERSION],
    ...listField("sec-websocket-protocol", offer.protocols),
    ...listField("sec-websocket-extensions", offer.extensions),
  ];
}

/**
 * Checks an upstream's 101 against what the client asked for.
 *
 * If the upstream chose no subprotocol, the proxy answers with the one that it kept for itself: many clients that offer subprotocols close
 * the connection if the answer names none.
 *
 * @returns the fields of the handshake for the client
 * @throws {RequestRefusal} `bad_response` for another protocol, an accept value that does not belong to the key, a subprotocol or an
 * extension that the client did not ask for
 * @see RFC 6455 §4.1
 */
export function checkHandshakeAnswer(offer: WebSocketOffer, fields: RawFields): string[] {
  if (!isSwitchToWebSocket(fields)) throw badAnswer("switched to another protocol");
  const accept = acceptOf(offer.key);
  const accepts = fieldValues(fields, "sec-websocket-accept");
  if (accepts.length !== 1 || accepts[0] !== accept) {
    throw badAnswer("did not accept the WebSocket handshake that it was sent");
  }
  const [protocol, secondProtocol] = fieldValues(fields, "sec-websocket-protocol");
  if (secondProtocol !== undefined || (protocol && !offer.protocols.includes(protocol))) {
    throw badAnswer("chose a subprotocol that it was not offered");
  }
  const chosen = protocol || offer.ownProtocols[0];
  const extensions = listed(fields, "sec-websocket-extensions");
  const offered = new Set(offer.extensions.map(nameOfExtension));
  if (!extensions.every((it) => EXTENSION.test(it) && offered.has(nameOfExtension(it)))) {
    throw badAnswer("chose an extension that it was not offered");
  }
  return [
    ...["connection", "Upgrade", "upgrade", "websocket", "sec-websocket-accept", accept],
    ...listField("sec-websocket-protocol", chosen ? [chosen] : []),
    ...listField("sec-websocket-extensions", extensions),
  ];
}

/** Returns what a server answers to a key. @see RFC 6455 §4.2.2 */
function acceptOf(key: string): string {
  return createHash("sha1").update(key).update(ACCEPT_SUFFIX).digest("base64");
}

function isSwitchToWebSocket(fields: RawFields): boolean {
  const [protocol, second] = fieldValues(fields, "upgrade");
  return (
    protocol?.toLowerCase() === PROTOCOL_NAME &&
    second === undefined &&
    connectionOptions(fields).has("upgrade")
  );
}

function listField(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [name, items.join(", ")];
}

function nameOfExtension(extension: string): string {
  return (extension.split(";", 1)[0] ?? "").trim();
}

function refusal(message: string): RequestRefusal {
  return new RequestRefusal("invalid_request", message);
}

function badAnswer(what: string): RequestRefusal {
  return new RequestRefusal("bad_response", `the upstream ${what}`);
}
