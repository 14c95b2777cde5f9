import { readFile } from "node:fs/promises";
import { isSystemError, reasonOf } from "../home/home.js";
import { readStdin } from "../home/secrets.js";
import { CliError, usageError } from "../text/cli-error.js";
import { readVersion } from "../version.js";

/** Options of `request`. */
export interface RequestOptions {
  readonly thread?: string;
  readonly threadLabel?: string;
  readonly header?: readonly string[];
  readonly data?: string;
  readonly include?: boolean;
  readonly origin?: readonly string[];
  readonly bearerOrigin?: readonly string[];
  readonly binding?: boolean;
}

/** What is to be sent. */
export interface WantedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  /** In memory, so that it can be sent again after a refused task was replaced. */
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

const METHOD = /^[A-Z][A-Z-]{0,31}$/;
// What fetch does not send: no request of one origin's resource, or one that would show the credential back.
const UNSENDABLE = ["CONNECT", "TRACE", "TRACK"];
// The agent's credential is the only one of a request; and a secret is never an argument.
const CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Takes `[METHOD] URL` and the options of a request apart.
 *
 * @throws {CliError} `usage` when they are not of their form, or name a header that is not the caller's to set
 */
export async function parseRequestArguments(
  options: RequestOptions,
  operands: readonly string[],
  stdin: NodeJS.ReadStream,
): Promise<WantedRequest> {
  const [url, named] = operands.length > 1 ? [operands[1], operands[0]] : [operands[0], undefined];
  if (url === undefined || operands.length > 2) {
    throw usageError(
      "request takes [METHOD] URL",
      "countersign request POST https://api.example/v1/responses --data @body.json",
    );
  }
  if (!URL.canParse(url)) throw usageError(`"${url}" is not a URL`);
  const method = named ?? (options.data === undefined ? "GET" : "POST");
  if (!METHOD.test(method))
    throw usageError(`"${method}" is not a method`, "write it in upper case");
  if (UNSENDABLE.includes(method)) {
    throw usageError(`${method} is not sent`, "name another method, such as GET or POST");
  }
  const headers = parseHeaders(options.header ?? []);
  if (options.data !== undefined && (method === "GET" || method === "HEAD")) {
    throw usageError(`${method} has no body`, "leave --data out, or name another method");
  }
  const body = await readBody(options.data, stdin);
  if (body !== undefined && !headers.has("content-type"))
    headers.set("content-type", "application/json");
  // The answer's body is passed on byte for byte, so it must arrive uncompressed.
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
  if (!headers.has("user-agent")) headers.set("user-agent", `countersign/${readVersion()}`);
  return { url, method, headers, body };
}

function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line);
    const [, name = "", value = ""] = match ?? [];
    // Not repeated: what stands behind the colon may be a secret.
    if (match === null) throw usageError("--header is not 'Name: value'");
    if (CREDENTIAL_HEADERS.includes(name.toLowerCase())) {
      throw usageError(
        `--header must not set ${name}`,
        "leave it out: the request is signed as the thread's agent, and has no other credential",
      );
    }
    try {
      headers.append(name, value);
    } catch (error) {
      throw new CliError("usage", `--header ${name} has a value that no header can have`, {
        cause: error,
      });
    }
  }
  return headers;
}

async function readBody(
  data: string | undefined,
  stdin: NodeJS.ReadStream,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (data === undefined) return undefined;
  if (data === "@-") return Uint8Array.from(await readStdin(stdin, MAX_BODY_BYTES));
  if (!data.startsWith("@")) return Uint8Array.from(Buffer.from(data));
  try {
    return Uint8Array.from(await readFile(data.slice(1)));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw usageError(`--data: ${data.slice(1)} cannot be read: ${reasonOf(error)}`);
  }
}
