import type { Code } from "@countersign/agent-key";
import { MAX_PROBLEM_BYTES, refusalCode } from "@countersign/agent-key/problem";
import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import type { Axios } from "./axios-hop.js";

/** A field of an answer as one text. */
export function answerField(response: AxiosResponse, name: string): string | null {
  const value: unknown = Reflect.get(response.headers, name);
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join(", ") : null;
}

/** Reads why a server refused; from `WWW-Authenticate` alone where the caller wants the body as a stream. */
export function answerCode(response: AxiosResponse): Promise<Code | undefined> {
  const fields = {
    wwwAuthenticate: answerField(response, "www-authenticate"),
    contentType: answerField(response, "content-type"),
  };
  return refusalCode(fields, () => startOf(response.data));
}

async function startOf(data: unknown): Promise<string> {
  if (typeof data === "string") return data.length > MAX_PROBLEM_BYTES ? "" : data;
  if (data instanceof Blob) return data.size > MAX_PROBLEM_BYTES ? "" : data.text();
  if (!(data instanceof ArrayBuffer || data instanceof Uint8Array)) return "";
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  return bytes.length > MAX_PROBLEM_BYTES ? "" : Buffer.from(bytes).toString("utf8");
}

/** Discards a streamed body that will not be read. */
export function discardAnswer({ data }: AxiosResponse<unknown>): void {
  if (data instanceof ReadableStream) {
    // A body that cannot be cancelled is over already.
    data.cancel().catch(() => {});
  } else if (typeof data === "object" && data !== null && "destroy" in data) {
    if (typeof data.destroy === "function") data.destroy();
  }
}

// What a body of Node's `http` that streams keeps of its request.
const LINKS_OF_STREAM = ["req", "socket", "client"];

/** Keeps `request`, in which the assertion is, out of what is printed of an answer or an error: it can still be read. */
export function hideRequest(holder: AxiosResponse | AxiosError): void {
  hideMember(holder, "request");
  const data: unknown = "data" in holder ? holder.data : undefined;
  if (typeof data !== "object" || data === null || !("pipe" in data)) return;
  for (const name of LINKS_OF_STREAM) hideMember(data, name);
}

function hideMember(holder: object, name: string): void {
  if (Object.hasOwn(holder, name)) Object.defineProperty(holder, name, { enumerable: false });
}

/**
 * Ends a call as axios does: by the caller's `validateStatus`.
 *
 * @throws {AxiosError} `ERR_BAD_REQUEST` or `ERR_BAD_RESPONSE` when the status is none of the caller's
 */
export function settle(
  axios: Axios,
  config: InternalAxiosRequestConfig,
  response: AxiosResponse,
): AxiosResponse {
  const { status } = response;
  const { validateStatus } = config;
  if (!validateStatus || validateStatus(status)) return response;
  const { ERR_BAD_REQUEST, ERR_BAD_RESPONSE } = axios.AxiosError;
  const message = `Request failed with status code ${status}`;
  const code = status >= 400 && status < 500 ? ERR_BAD_REQUEST : ERR_BAD_RESPONSE;
  const error = new axios.AxiosError(message, code, config, response.request, response);
  hideRequest(error);
  throw error;
}
