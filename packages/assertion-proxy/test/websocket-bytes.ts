import { connectRaw, type RawClient } from "./raw-client.js";
import { type RawConnection, type RawUpstream, startRawUpstream } from "./raw-upstream.js";
import { startGateway, type TestGateway, type TestGatewayOptions } from "./start-gateway.js";

// The key and its accept value of RFC 6455 §1.3.
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

export const HANDSHAKE = `Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`;
export const SWITCH = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;

/** A whole frame, one character for each byte. @param length - at most 125 */
export function textFrame(text: string, masked = false): string {
  const head = String.fromCharCode(0x81, text.length + (masked ? 0x80 : 0));
  return head + (masked ? "\0\0\0\0" : "") + text;
}

/** An open tunnel, and the bytes at both of its ends. */
export interface OpenTunnel {
  readonly upstream: RawUpstream;
  readonly gateway: TestGateway;
  readonly client: RawClient;
  readonly connection: RawConnection;
}

export interface OpenTunnelOptions {
  readonly lines?: string;
  readonly answer?: string;
  readonly gateway?: Partial<TestGatewayOptions>;
}

export async function openTunnel(options: OpenTunnelOptions = {}): Promise<OpenTunnel> {
  const upstream = await startRawUpstream(options.answer ?? SWITCH);
  const gateway = await startGateway({ upstream: upstream.url, ...options.gateway });
  const client = await connectRaw(gateway.url);
  client.send(gateway.request("GET", "/v1", options.lines ?? HANDSHAKE));
  await client.bytes.until("\r\n\r\n");
  return { upstream, gateway, client, connection: await upstream.connection(0) };
}
