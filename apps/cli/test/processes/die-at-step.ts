// Loaded before the command (`--import`): prints each step of registrations, rotations and file writes on stderr, and kills the process right
// behind the one that DIE_AT_STEP counts, from 0, or that DIE_AFTER names.
import { dieAtStep } from "@countersign/testing/die-at-step";

const { DIE_AT_STEP, DIE_AFTER } = process.env;
dieAtStep({
  step: DIE_AT_STEP === undefined ? undefined : Number(DIE_AT_STEP),
  after: DIE_AFTER,
  mark: "step: ",
  to: 2,
});
