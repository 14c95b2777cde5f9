import type { Checks } from "./checks.ts";
import type { CodexCell } from "./codex-cells.ts";
import type { CodexStage } from "./codex-stage.ts";
import type { CodexHome } from "./codex-ways.ts";

/** Where a cell is run, and who checks it. */
export interface Place {
  readonly checks: Checks;
  readonly cell: CodexCell;
  readonly stage: CodexStage;
  readonly home: CodexHome;
}
