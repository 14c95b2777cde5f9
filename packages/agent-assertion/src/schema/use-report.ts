/** Where resource servers report which agents and tasks they saw used, below the authority's base URL (protocol.md §5.11). */
export const USE_REPORT_PATH = "/v1/assertion/uses";

/** A use is reported with its age, in whole seconds, and not with a time: the authority's clock alone counts. No use is older than a day. */
export const MAX_USE_AGE_SECONDS = 86_400;

/** One use in a report: of an agent, and of one of its tasks if that is named. */
export interface ReportedUse {
  readonly agent_runtime_id: string;
  readonly task_id?: string | undefined;
  readonly seconds_ago: number;
}

/** Body of a report (protocol.md §5.11). */
export interface UseReport {
  readonly uses: readonly ReportedUse[];
}

/**
 * Makes the body of a report.
 *
 * @param uses - with the epoch milliseconds at which each was seen
 * @param now - epoch milliseconds of the same clock. A use that seems to be in the future was now
 */
export function createUseReport(
  uses: readonly {
    readonly agentRuntimeId: string;
    readonly taskId?: string | undefined;
    readonly at: number;
  }[],
  now: number,
): UseReport {
  return {
    uses: uses.map(({ agentRuntimeId, taskId, at }) => ({
      agent_runtime_id: agentRuntimeId,
      ...(taskId === undefined ? {} : { task_id: taskId }),
      seconds_ago: Math.min(Math.max(0, Math.floor((now - at) / 1000)), MAX_USE_AGE_SECONDS),
    })),
  };
}
