import { type Fetch, type FetchInit, platformFetch } from "@countersign/agent-key/platform-fetch";
import type { Run } from "../config/run.js";
import { secretFileOf } from "../home/secret-file.js";
import { readSecretSource } from "../home/secrets.js";
import { usageError } from "../text/cli-error.js";

// What `remoteDirectory` takes at the start, so that no reload replaces a token by what could not be one.
const TOKEN = /^[!-~]+$/;
const UNAUTHORIZED = 401;
const TOKEN_END = "x-token-expires-at";
// A file that holds a dead token is not read for each request that the authority refuses.
const REFUSED_READ_MS = 1_000;

/** The token for an authority's directory, which may be replaced while the process runs. */
export interface DirectoryToken {
  /** What is sent now. Secret. */
  readonly current: string;
  /** When it ends, epoch milliseconds, as the authority says with its answers (protocol D-8); `undefined` until then. */
  readonly endsAt: number | undefined;
  /**
   * Reads it again.
   *
   * @returns whether it is another one
   * @throws {CliError} as {@link openDirectoryToken}; it stays as it was then
   */
  reload(): Promise<boolean>;
  /**
   * Sends requests with it. If the authority answers 401, it is read again, and if another one is there then, the request is sent once more.
   */
  readonly fetch: Fetch;
}

/**
 * Reads the token that `--authority-token` names.
 *
 * @throws {CliError} as {@link readSecretSource}, and `usage` for a token with a space in it
 */
export async function openDirectoryToken(run: Run, source: string): Promise<DirectoryToken> {
  const read = async () => {
    const token = await readSecretSource(run.environment, source, "--authority-token");
    if (TOKEN.test(token)) return token;
    throw usageError("--authority-token: it has a space in it", "a token is one word");
  };
  const isFile = (await secretFileOf(source)) !== undefined;
  let current = await read();
  let endsAt: number | undefined;
  let lastRefused = { token: "", at: Number.NEGATIVE_INFINITY };
  let reading: Promise<void> | undefined;

  async function reload(): Promise<boolean> {
    const before = current;
    if (isFile) current = await read();
    if (current === before) return false;
    endsAt = undefined;
    return true;
  }

  async function readAfterRefusal(): Promise<void> {
    // Another token than the one that was refused last may have been replaced as well.
    const isSame = lastRefused.token === current;
    if (isSame && performance.now() - lastRefused.at < REFUSED_READ_MS) return;
    lastRefused = { token: current, at: performance.now() };
    // What is wrong with the file is reported when it changes, and the authority's refusal in any case.
    await reload().catch(() => undefined);
  }

  async function send(url: string, init: FetchInit, used: string): Promise<Response> {
    const response = await platformFetch(url, withToken(init, used));
    const end = Date.parse(response.headers.get(TOKEN_END) ?? "");
    if (used === current && !Number.isNaN(end)) endsAt = end;
    return response;
  }

  return {
    get current() {
      return current;
    },
    get endsAt() {
      return endsAt;
    },
    reload,
    async fetch(url, init) {
      const used = current;
      const response = await send(url, init, used);
      if (response.status !== UNAUTHORIZED) return response;
      if (current === used) {
        reading ??= readAfterRefusal().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      if (current === used) return response;
      await response.body?.cancel();
      return await send(url, init, current);
    },
  };
}

function withToken(init: FetchInit, token: string): FetchInit {
  return { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } };
}
