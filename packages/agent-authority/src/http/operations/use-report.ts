import { USE_REPORT_PATH } from "@countersign/agent-assertion";
import type { z } from "zod";
import { AgentAuthorityError } from "../../agent-authority-error.js";
import { noteUses, type UseReporter } from "../../registry/note-uses.js";
import type { TokenPrincipal } from "../../registry/principal.js";
import { Refusal } from "../../registry/refusal.js";
import { instantOf } from "../../registry/times.js";
import { useReportSchema } from "../../schema/verifier-answers.js";
import { checkReader } from "../check-reader.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import type { ServedOperation } from "../served-operation.js";

// Each takes a few milliseconds of the database. More would wait for longer than their senders do.
const MAX_WAITING = 32;
// Of one token, so that it leaves places to others: several gateways may have the same one.
const MAX_WAITING_OF_ONE = 8;

/**
 * `POST /v1/assertion/uses`: resource servers report whose assertions they accepted (protocol §5.11). Reports are written one after another, so
 * that however many come, registrations and lookups have the database's other connections.
 *
 * @param isOpen - whether it may be called without a token, by callers on this machine's loopback
 */
export function reportUsesOperation(isOpen: boolean): ServedOperation {
  return {
    method: "post",
    path: USE_REPORT_PATH,
    summary: "Takes a report of which agents and tasks were used.",
    description:
      "For verifiers, about once a minute (protocol §5.11). Unknown ids, and agents that the token may not read, are ignored. An authority that has much to do refuses reports first; a report may be sent again.",
    credentials: ["resource_server"],
    isOpen,
    body: PUBLIC_SCHEMAS.UseReport,
    answer: { description: "It was taken.", schema: PUBLIC_SCHEMAS.UseReportAnswer },
    refusals: ["forbidden"],
    audited: "directory",
    addressLimit: "refused_requests",
    isShedFirst: true,
    serve(context) {
      const inTurn = oneAfterAnother();
      return async (request) => {
        const instant = instantOf(context.now);
        const reader = await checkReader(context, request, instant);
        const { uses } = parseReport(request.body);
        const seen = uses.map(({ agent_runtime_id, task_id, seconds_ago }) => ({
          agentRuntimeId: agent_runtime_id,
          taskId: task_id,
          secondsAgo: seconds_ago,
        }));
        const reporter = reporterOf(reader);
        await inTurn(reporter.name, () => noteUses(context.store, seen, reporter, instant));
        return {};
      };
    },
  };
}

function parseReport(body: unknown): z.output<typeof useReportSchema> {
  const parsed = useReportSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Refusal("invalid_request", "not a report of uses", {
    cause: parsed.error,
    hint: 'send {"uses": [{"agent_runtime_id", "task_id", "seconds_ago"}]}, 400 at most',
  });
}

function reporterOf(reader: TokenPrincipal | undefined): UseReporter {
  if (reader === undefined) return { name: "loopback", accounts: undefined };
  const { actor, actorName, rights } = reader;
  const name = actorName === undefined ? actor : `${actorName} (${actor})`;
  return { name, accounts: rights.accounts };
}

function oneAfterAnother(): (of: string, work: () => Promise<void>) => Promise<void> {
  const waiting: string[] = [];
  let last = Promise.resolve();
  return async (of, work) => {
    const isFull = waiting.filter((each) => each === of).length >= MAX_WAITING_OF_ONE;
    if (isFull || waiting.length >= MAX_WAITING) {
      throw new AgentAuthorityError("unreachable", "the authority has too much to do");
    }
    waiting.push(of);
    const done = last.then(work);
    last = done
      .catch(() => {})
      .finally(() => {
        waiting.shift();
      });
    await done;
  };
}
