import { createVerifier, type VerifiedAssertion } from "@countersign/agent-assertion";
import { formatTimestamp, parseTimestamp } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../config/run.js";
import { type DirectoryOptions, openDirectory } from "../directory/directory-option.js";
import { openKeysFile } from "../directory/keys-file.js";
import { readStdin } from "../home/secrets.js";
import { usageError } from "../text/cli-error.js";
import { formatColumns } from "../text/output.js";
import { withProgress } from "../text/progress.js";

/** Options of `verify`. */
export interface VerifyOptions extends DirectoryOptions {
  readonly keys?: string;
  readonly now?: string;
}

const MAX_INPUT_BYTES = 65_536;

/** `verify`: checks one assertion as a resource server would; what fails is the error's code. */
export async function verify(
  run: Run,
  options: VerifyOptions,
  [operand = "-"]: readonly string[],
): Promise<void> {
  const now = options.now === undefined ? Date.now : fixedClock(options.now);
  const named = [options.keys, options.authority, options.database].filter(
    (it) => it !== undefined,
  );
  if (named.length > 1) {
    throw usageError("--authority, --database and --keys exclude each other", "name one of them");
  }
  await using opened =
    options.keys === undefined
      ? await openDirectory(run, options, {
          revocationDelaySeconds: 0,
          tellsOutages: false,
          useReportSeconds: 0,
        })
      : await openKeysFile(options.keys);
  const { directory } = opened;
  const text =
    operand === "-" ? (await readStdin(process.stdin, MAX_INPUT_BYTES)).toString("utf8") : operand;
  const field = fieldValueOf(text);
  const verifier = createVerifier({ directory, now });
  const verified = await withProgress(run.output, `asking ${directory.authority}`, () =>
    verifier.verify(field, { signal: run.signal }),
  );
  const described = describe(
    verified,
    options.keys === undefined && options.database === undefined,
  );
  run.output.result({ valid: true, ...described }, () => [
    "valid",
    ...formatColumns(
      // The authority's words, and those of a file of keys.
      Object.entries(described).map(([name, value]) => [name, escapeText(String(value ?? "-"))]),
    ),
  ]);
}

// Takes what `countersign header` prints as well as a bare field value.
function fieldValueOf(text: string): string {
  return text.replace(/\r?\n$/, "").replace(/^authorization:[ \t]*/i, "");
}

function fixedClock(text: string): () => number {
  let instant: number;
  try {
    instant = parseTimestamp(text);
  } catch {
    throw usageError(`--now: "${text}" is not a time`, "write it as 2026-04-15T17:08:09Z");
  }
  return () => instant;
}

function describe(verified: VerifiedAssertion, named: boolean): Readonly<Record<string, unknown>> {
  return {
    authority: named ? verified.authority : null,
    agent_runtime_id: verified.agentRuntimeId,
    task_id: verified.taskId,
    account_id: verified.accountId || null,
    user_id: verified.userId || null,
    capabilities: verified.capabilities,
    issued_at: formatTimestamp(verified.issuedAt),
    skew_seconds: verified.skewSeconds,
    covered: verified.covered,
  };
}
