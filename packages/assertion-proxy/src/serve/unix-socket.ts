import { randomBytes } from "node:crypto";
import { lstat, rename, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, isAbsolute } from "node:path";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

const OTHERS = 0o077;
// What a Unix socket's address holds, its final zero aside: 104 bytes on some systems, 108 on others.
const MAX_PATH_BYTES = 103;

/**
 * Makes sure that a Unix socket can be made at a path and that only this user can reach it: this user must own the directory, and no other
 * user may enter it. A stale socket at the path, on which no process listens, is removed.
 *
 * @throws {AssertionProxyError} `store_denied` if the directory belongs to another user, can be entered by other users or is not a directory;
 * `address_in_use` if a process listens there; `config_invalid` if no socket can have the path, or another kind of file is there
 */
export async function prepareSocketPath(path: string): Promise<void> {
  if (process.getuid === undefined) {
    throw new AssertionProxyError("config_invalid", "this system has no Unix sockets with owners");
  }
  if (!isAbsolute(path) || Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new AssertionProxyError("config_invalid", "the socket's path is relative or too long", {
      hint: `give an absolute path of at most ${MAX_PATH_BYTES} bytes`,
    });
  }
  await checkDirectory(dirname(path), process.getuid());
  await removeStale(path);
}

async function checkDirectory(directory: string, uid: number): Promise<void> {
  const found = await lstat(directory).catch((cause: unknown) => {
    throw new AssertionProxyError("store_denied", "the socket's directory cannot be read", {
      cause,
      hint: `make it: mkdir -m 700 ${directory}`,
    });
  });
  // A link could be led elsewhere at any time.
  if (!found.isDirectory()) throw denied(directory, "is no directory");
  if (found.uid !== uid) throw denied(directory, "belongs to another user");
  if ((found.mode & OTHERS) !== 0) throw denied(directory, "can be entered by other users");
}

async function removeStale(path: string): Promise<void> {
  const found = await identityOf(path);
  if (found === undefined) return;
  if (await isListenedOn(path)) throw inUse();
  // Renamed, then compared with the socket that was checked: another proxy may have put its own socket there since.
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch {
    // Another process has removed it. The proxy that listens first then gets the path.
    return;
  }
  if ((await identityOf(aside)) !== found) {
    await rename(aside, path);
    throw inUse();
  }
  await unlink(aside);
}

// The time as well: numbers of files are used again. Neither changes with the name.
async function identityOf(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isSocket()) return `${found.dev}:${found.ino}:${found.mtimeNs}`;
  throw new AssertionProxyError("config_invalid", "there is a file where the socket is to be", {
    hint: "give another path, or remove the file",
  });
}

async function isListenedOn(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", (error: Error & { readonly code?: unknown }) => {
        // Anything else, a full queue of connections among it, is a sign of life.
        resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
      });
    });
  } finally {
    socket.destroy();
  }
}

function inUse(): AssertionProxyError {
  return new AssertionProxyError("address_in_use", "another program listens on this socket", {
    hint: "give another path, or end that program",
  });
}

function denied(directory: string, what: string): AssertionProxyError {
  return new AssertionProxyError("store_denied", `the directory ${directory} ${what}`, {
    hint: "the socket stands in a directory of mode 0700 that this user owns",
  });
}
