import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { ByteWatcher } from "./byte-watcher.js";
import { runCurl } from "./run-curl.js";

/** What an upload is sent with. */
export interface UploadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends a body, and gives the status of the answer, or what went wrong before there was one. */
export type Upload = (options: UploadOptions) => Promise<number | string>;

const viaFetch: Upload = async ({ url, headers, body }) => {
  try {
    const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return String(error instanceof Error ? (error.cause ?? error) : error);
  }
};

const viaNodeHttp =
  (keepAlive: boolean): Upload =>
  ({ url, headers, body }) =>
    new Promise((resolve) => {
      const agent = new Agent({ keepAlive });
      const request = httpRequest(url, { method: "POST", headers, agent }, (response) => {
        response.resume();
        response.once("close", () => {
          agent.destroy();
          resolve(response.complete ? (response.statusCode ?? 0) : "broken off");
        });
      });
      request.once("error", (error) => resolve(String(error)));
      request.setHeader("content-length", body.length);
      request.end(body);
    });

const viaCurl: Upload = async ({ url, headers, body }) => {
  const lines = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const { status, exitCode, log } = await runCurl([...lines, "--data-binary", "@-", url], body);
  return exitCode === 0 ? status : `curl ended with ${exitCode}: ${log}`;
};

/** A client that reads nothing before all of its body was taken, as those of many languages do. */
const viaBlockingWrites: Upload = ({ url, headers, body }) =>
  new Promise((resolve) => {
    const { hostname, port, pathname, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const lines = Object.entries({ Host: host, ...headers, "Content-Length": body.length });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.once("error", (error) => resolve(String(error)));
    socket.write(`POST ${pathname} HTTP/1.1\r\n${head}\r\n`);
    socket.write(body, (error) => {
      if (error) return;
      const bytes = new ByteWatcher(socket);
      bytes.until("\r\n\r\n").then(
        (text) => resolve(Number(text.slice(9, 12))),
        (reason) => resolve(String(reason)),
      );
      void bytes.until("}").finally(() => socket.destroy());
    });
  });

/** The clients that an early answer must reach. */
export const UPLOADS: readonly (readonly [string, Upload])[] = [
  ["fetch", viaFetch],
  ["node:http", viaNodeHttp(true)],
  ["node:http without keep-alive", viaNodeHttp(false)],
  ["a client that reads after it has written", viaBlockingWrites],
  ["curl", viaCurl],
];
