import { createAuthority } from "@countersign/agent-authority";
import { assertCanListen } from "../assert-can-listen.js";
import { type AuthorityConfig, loadAuthorityConfig } from "../authority-config.js";
import { openDatabase } from "../database-option.js";
import { onForwardedRequest } from "../forwarded-requests.js";
import { parseListenAddress } from "../listen-address.js";
import type { Run } from "../run.js";
import { serveUntilSignal } from "../serve-until-signal.js";

/** Options of `authority serve`. */
export interface ServeAuthorityOptions {
  readonly listen: string;
  readonly database?: string;
  readonly config?: string;
}

/** `authority serve`: runs the authority until the process is asked to end. */
export async function serveAuthority(run: Run, options: ServeAuthorityOptions): Promise<void> {
  const address = parseListenAddress(options.listen);
  const config: AuthorityConfig =
    options.config === undefined ? {} : await loadAuthorityConfig(options.config);
  await assertCanListen(address);
  const store = await openDatabase(run, options.database, { create: true });
  try {
    const authority = await createAuthority({ store, ...config });
    const { url } = await authority.listen(address);
    using _ = config.publicUrl === undefined ? warnOfProxies(run) : undefined;
    await serveUntilSignal(run, [{ url, close: () => authority.close() }]);
  } finally {
    await store.close();
  }
}

// What is signed names the URL that clients use, and behind a proxy nothing but the configuration knows it.
function warnOfProxies(run: Run): Disposable {
  return onForwardedRequest((field) => {
    run.warnOnce(
      `a request came through a proxy (${field}), but public_url is not set: write the URL that clients use into the file of --config`,
    );
  });
}
