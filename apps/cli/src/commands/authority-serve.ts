import { createAuthority } from "@countersign/agent-authority";
import { assertCanListen } from "../assert-can-listen.js";
import { type AuthorityConfig, loadAuthorityConfig } from "../authority-config.js";
import { openDatabase } from "../database-option.js";
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
    await serveUntilSignal(run, [{ url, close: () => authority.close() }]);
  } finally {
    await store.close();
  }
}
