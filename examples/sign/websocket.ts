import { dialWithAssertion } from "@countersign/agent-assertion/websocket";
import type { CredentialSource } from "@countersign/agent-key";
import WebSocket from "ws";

export async function openSocket(thread: CredentialSource, url: string): Promise<WebSocket> {
  const dial = dialWithAssertion(thread, { origins: [url] });
  return dial(url, (headers) => new WebSocket(url, { headers }));
}
