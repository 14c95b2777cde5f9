import { withAssertion } from "@countersign/agent-assertion/fetch";
import type { Run } from "../config/run.js";
import { allowedBearerOrigins, allowedOrigins } from "../options/allowed-origins.js";
import { parseOriginUrl } from "../options/http-url.js";
import { resolveThread, resolveThreadLabel } from "../options/thread-option.js";
import { printAnswer } from "../request/print-answer.js";
import { parseRequestArguments, type RequestOptions } from "../request/request-arguments.js";
import { toTransportError } from "../request/transport-error.js";
import {
  followTasks,
  openAgentSession,
  requireCredentialFor,
  requireLogin,
} from "../session/agent-session.js";
import { usageError } from "../text/cli-error.js";
import { withProgress } from "../text/progress.js";

/** `request`: one turn of the thread's agent. */
export async function request(
  run: Run,
  options: RequestOptions,
  operands: readonly string[],
): Promise<void> {
  const scope = resolveThread(options.thread, run.environment);
  const label = resolveThreadLabel(options.threadLabel);
  const wanted = await parseRequestArguments(options, operands, process.stdin);
  const origins = await allowedOrigins(run, options.origin ?? []);
  const origin = parseOriginUrl(run, { url: wanted.url, from: "URL" });
  if (!origins.includes(origin)) {
    throw usageError(
      `${origin} is not an origin that a credential may be sent to`,
      `add --origin ${origin}, or list it in config.toml: origins = ["${origin}"]`,
    );
  }
  const bearerOrigins = await allowedBearerOrigins(run, options.bearerOrigin);
  await using session = await openAgentSession(run, bearerOrigins);
  await requireLogin(session);
  requireCredentialFor(session, origin);
  const thread = session.tasks.thread(scope, { label });
  const send = withAssertion(fetch, thread, {
    origins,
    binding: options.binding === true,
    onWarning: (message) => run.output.warn(message),
    ...run.http,
  });
  const { url, method, headers, body } = wanted;
  const waiting = `waiting for ${origin}`;
  const answer = await withProgress(run.output, waiting, (progress) => {
    followTasks(run, session, progress, waiting);
    return thread.run(
      () =>
        send(url, {
          method,
          headers,
          signal: run.signal,
          ...(body === undefined ? {} : { body }),
        }).catch((error: unknown) => {
          throw toTransportError(error, origin, run.signal);
        }),
      { signal: run.signal },
    );
  });
  await printAnswer(run, answer, { origin, include: options.include === true });
}
