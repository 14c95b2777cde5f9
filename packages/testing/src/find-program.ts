import { accessSync, constants } from "node:fs";

const PLACES = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/** Returns the path of a program on this machine; `undefined` if it is not installed. */
export function findProgram(name: string): string | undefined {
  return PLACES.map((place) => `${place}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
