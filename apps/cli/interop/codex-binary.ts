import { type NpmPackage, packageFile } from "./npm-package.ts";

/** A published Codex package that holds a binary. */
export interface CodexRelease extends NpmPackage {
  /** As documents and checks name it, for instance `0.122`. */
  readonly name: string;
  /** Path of the executable in the package. */
  readonly executable: string;
}

/** Generation A: by its flag it registers an agent with a biscuit, and a task for each thread. */
export const CODEX_A: CodexRelease = {
  name: "0.122",
  package: "@openai/codex",
  version: "0.122.0-linux-x64",
  integrity:
    "sha512-GYQBkwER9RPn7spJOwB3f/pTyk3KWKsRI8W+2Dl5H3XSxJJ5aVZeNKBGChSw6lyJWAmuZXssBu037KQx15lsGA==",
  executable: "vendor/x86_64-unknown-linux-musl/codex/codex",
};

/** Generation B: it has no flag, and takes identity JWTs. */
export const CODEX_B: CodexRelease = {
  name: "0.132",
  package: "@openai/codex",
  version: "0.132.0-linux-x64",
  integrity:
    "sha512-aGJPB+QkgtYQNQMlRGmE7oZstULu7k4trpux5r3CCZGPun4Xtwx3swtZXm7cWOVeTUkNfGCqdtCQ0bv6SKRiLA==",
  executable: "vendor/x86_64-unknown-linux-musl/codex/codex",
};

/** Generation C, the newest: by its flag it registers an agent with the human's bearer, and one task for its home; it takes identity JWTs too. */
export const CODEX_C: CodexRelease = {
  name: "0.171",
  package: "@openai/codex",
  version: "0.171.0-linux-x64",
  integrity:
    "sha512-l66NZkQgdk2C3pbcfULDz42yEUB581MVA6I+Y43Wp4OIqEy73HCdmZ0GTjeAHY2ycuH4N00d9VsLrwT1jxshTw==",
  executable: "vendor/x86_64-unknown-linux-musl/bin/codex",
};

/** Every release that is run. */
export const CODEX_RELEASES: readonly CodexRelease[] = [CODEX_A, CODEX_B, CODEX_C];

/** The path of a release's executable in the ignored cache folder. */
export function codexBinary(release: CodexRelease): string {
  return packageFile(release, release.executable);
}
