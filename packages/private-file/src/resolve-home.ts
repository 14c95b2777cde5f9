import { isAbsolute, join, resolve } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { findUserHome } from "./user-home.js";

/**
 * The user's home folder, an absolute path.
 *
 * @throws {StoreError} `config_invalid`, naming the variable, if `HOME` is empty or relative, or is not set for a user that the
 *   system does not know
 */
export function userHome(): string {
  const found = findUserHome();
  if ("path" in found) return found.path;
  throw new StoreError("config_invalid", found.problem, {
    hint: "set it to the absolute path of a folder of this user",
  });
}

/**
 * The absolute path of a directory that holds credentials.
 *
 * @param path - absolute, `~` or a path that begins with `~/`. A relative path is refused: it often comes from a variable, and would put
 *   credentials into the working directory
 * @param option - its name in errors
 * @throws {StoreError} `config_invalid` if the path is something else, or begins with `~` and there is no home folder
 */
export function resolveHome(path: string, option = "directory"): string {
  if (typeof path === "string" && !path.includes("\0")) {
    if (path === "~") return userHome();
    if (path.startsWith("~/")) return join(userHome(), path.slice(2));
    if (isAbsolute(path)) return resolve(path);
  }
  const got = typeof path === "string" ? JSON.stringify(path) : typeof path;
  throw new StoreError(
    "config_invalid",
    `${option} must be an absolute path or begin with "~/", got ${got}`,
    { hint: "give an absolute path: the working directory must not decide where credentials are" },
  );
}
