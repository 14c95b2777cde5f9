import { assertionHeaders } from "@countersign/agent-assertion/websocket";
import type { CredentialSource } from "@countersign/agent-key";
import { WebSocket } from "undici";

export async function reconnect(thread: CredentialSource, url: string): Promise<WebSocket> {
  const assertions = assertionHeaders(thread, { origins: [url] });
  return new WebSocket(url, { headers: await assertions.headers(url) });
}
