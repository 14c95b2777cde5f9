import { backupStore } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import { findDatabase } from "../../options/database-option.js";
import { withProgress } from "../../text/progress.js";

/** Options of `authority backup`. */
export interface BackupAuthorityOptions {
  readonly database?: string;
  readonly force?: boolean;
}

/** `authority backup OUT`: copies the SQLite database into a file, also while authorities work on it. */
export async function backupAuthority(
  run: Run,
  options: BackupAuthorityOptions,
  [out = ""]: readonly string[],
): Promise<void> {
  const { url } = await findDatabase(run, options.database, { create: false });
  const backup = await withProgress(run.output, "copying the database", (progress) =>
    backupStore(url, out, {
      overwrite: options.force === true,
      signal: run.signal,
      onProgress(copied, total) {
        // In tenths, so that a log does not get a line for each step.
        progress.show(`copying the database: ${Math.floor((copied / total) * 10) * 10} %`);
      },
    }),
  );
  const { file, bytes } = backup;
  run.output.result({ file, bytes }, () => `${file} (${bytes} bytes)`);
}
