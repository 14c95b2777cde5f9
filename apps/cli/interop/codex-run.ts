import type { ProcessResult } from "@countersign/testing";
import { type CodexAppServer, openAppServer } from "./codex-app-server.ts";
import type { CodexStage } from "./codex-stage.ts";
import type { CodexHome } from "./codex-ways.ts";
import type { AuditLine } from "./gateway-audit.ts";

/** What one run of Codex came to, at each place. */
export interface CodexRun {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Registrations of agents and of tasks that reached the authority. */
  readonly registered: readonly [agents: number, tasks: number];
  /** Requests to refresh the human's token. */
  readonly refreshes: number;
  /** Connections to an authority that is away. */
  readonly tried: number;
  /** What the gateway saw of turns: HTTP requests and handshakes. */
  readonly audited: readonly AuditLine[];
  /** Turns at the upstream, by HTTP or as messages of a WebSocket. */
  readonly turns: number;
}

const isTurn = ({ path }: { readonly path: string }) => path.endsWith("/responses");

/** Runs something and says what came of it. */
export async function watchRun(
  stage: CodexStage,
  run: () => Promise<Pick<ProcessResult, "code" | "stdout" | "stderr">>,
): Promise<CodexRun> {
  const before = stage.authority.counts();
  const triedBefore = stage.authority.triedConnections();
  const turnsBefore = turnsOf(stage);
  const auditedBefore = (await stage.audited()).length;
  const startedAt = performance.now();
  const { code, stdout, stderr } = await run();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const after = stage.authority.counts();
  const turns = turnsOf(stage) - turnsBefore;
  // A line is written once its exchange is over, and whatever reached the upstream has one.
  const audited = await stage.audited(
    (lines) => lines.slice(auditedBefore).filter(isForwarded).length >= turns,
  );
  return {
    ...{ exit: code, stdout: stdout.trim(), stderr: stderr.trim(), seconds, turns },
    registered: [after.agents - before.agents, after.tasks - before.tasks],
    refreshes: after.refreshes - before.refreshes,
    tried: stage.authority.triedConnections() - triedBefore,
    audited: audited.slice(auditedBefore).filter(isTurn),
  };
}

/** Runs `codex exec`, or what else the script says. */
export function runCodex(stage: CodexStage, home: CodexHome, args?: string): Promise<CodexRun> {
  return watchRun(stage, () => stage.shell(home.command(args), home.env));
}

/** Runs `codex app-server`; what the function returns is taken for what it printed. */
export function useAppServer(
  stage: CodexStage,
  home: CodexHome,
  use: (server: CodexAppServer) => Promise<string>,
): Promise<CodexRun> {
  return watchRun(stage, async () => {
    const running = await stage.startShell(home.command("app-server"), home.env);
    const server = await openAppServer(running);
    const stdout = await use(server);
    const { code, stderr } = await server.close();
    return { code, stdout, stderr };
  });
}

function isForwarded(line: AuditLine): boolean {
  return isTurn(line) && line.status !== 401 && line.status !== 426;
}

function turnsOf({ upstream }: CodexStage): number {
  const posted = upstream.requests.filter(isTurn).length;
  // The newest Codex sends its instructions ahead of a turn, and asks for no answer to them.
  const messages = upstream.sockets.flatMap((socket) => socket.messages);
  return posted + messages.filter((it) => JSON.parse(it).generate !== false).length;
}
