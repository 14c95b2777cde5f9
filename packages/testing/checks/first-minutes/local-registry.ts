import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import type { PackedPackage } from "../pack-public-packages.ts";

/** A registry that has the packed packages and no others. */
export interface LocalRegistry extends AsyncDisposable {
  /** On loopback, ends with a slash. */
  readonly url: string;
}

// Package managers wait some days before they take a new version.
const PUBLISHED = "2020-01-01T00:00:00.000Z";

/**
 * Serves packed packages as a registry of npm does, as far as an installation asks: the document of a package, and its tarball. Nothing can be
 * published there.
 */
export async function startLocalRegistry(
  packages: readonly PackedPackage[],
): Promise<LocalRegistry> {
  const tarballs = new Map(packages.map(({ file }) => [basename(file), readFileSync(file)]));
  const documentOf = (name: string, url: string): object | undefined => {
    const found = packages.find(({ manifest }) => manifest.name === name);
    if (found === undefined) return undefined;
    const { manifest, file } = found;
    const { version } = manifest;
    const bytes = tarballs.get(basename(file)) ?? "";
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const dist = { integrity, tarball: `${url}${basename(file)}` };
    const time = { created: PUBLISHED, modified: PUBLISHED, [version]: PUBLISHED };
    const versions = { [version]: { ...manifest, dist } };
    return { name, "dist-tags": { latest: version }, time, versions };
  };
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url ?? "").slice(1);
    const tarball = tarballs.get(name);
    if (tarball !== undefined) {
      response.end(tarball);
      return;
    }
    const document = documentOf(name, `http://${request.headers.host}/`);
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document ?? { error: "not found" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
