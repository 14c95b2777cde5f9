import { homedir } from "node:os";
import { isAbsolute } from "node:path";

const VARIABLE = process.platform === "win32" ? "USERPROFILE" : "HOME";

/** Where the user's home folder is; or, if there is none that can be used, why. */
export type UserHome = { readonly path: string } | { readonly problem: string };

/**
 * Finds the user's home folder: `HOME` (on Windows `USERPROFILE`), otherwise what the system has for this user. It must be an absolute path: an
 * empty or a relative one would make the working directory the home, and a cloned repository could then say where credentials go.
 *
 * Loads nothing else, so that a program may ask before it loads the rest.
 */
export function findUserHome(): UserHome {
  let path: string;
  try {
    path = homedir();
  } catch {
    // The system throws for a user that it does not know.
    return { problem: `${VARIABLE} is not set, and the system has no home folder for this user` };
  }
  if (isAbsolute(path)) return { path };
  return { problem: `${VARIABLE} must be an absolute path, got ${JSON.stringify(path)}` };
}
