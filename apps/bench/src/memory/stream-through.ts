import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { pour } from "./pour.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Streams that many bytes up, and as many down, through the proxy at that URL; counted at the other end. */
export async function streamThrough(url: string, token: string, bytes: number): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const up = httpRequest(`${url}/sink`, { agent, method: "POST", headers });
  pour(up, bytes);
  const [answer] = (await once(up, "response")) as [IncomingMessage];
  const counted = String(await answer.setEncoding("utf8").toArray());
  if (counted !== String(bytes)) throw new Error(`${bytes} bytes went up: ${counted}`);

  const down = httpRequest(`${url}/source?bytes=${bytes}`, { agent, headers });
  down.end();
  const [source] = (await once(down, "response")) as [IncomingMessage];
  let arrived = 0;
  for await (const part of source) arrived += (part as Buffer).length;
  if (arrived !== bytes) throw new Error(`of ${bytes} bytes came down ${arrived}`);
}
