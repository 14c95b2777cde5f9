import type { Run } from "../config/run.js";
import { createDemoAgent } from "../demo/agent.js";
import { createCleanUp } from "../demo/clean-up.js";
import { createNarrator } from "../demo/narrator.js";
import { buildStage } from "../demo/stage.js";
import { tellMainStory, tellRevocations } from "../demo/story.js";

/** `demo`: the whole story, on loopback and in one process; fails at the first step that was not so. */
export async function demo(run: Run): Promise<void> {
  await using cleanUp = createCleanUp();
  const stage = await buildStage(cleanUp);
  const agent = createDemoAgent(stage, cleanUp);
  const narrator = createNarrator(run);
  if (!run.output.json) {
    run.output.stdout.write(
      `authority ${stage.authority.url}, gateway ${stage.gatewayUrl}, API ${stage.api.url}\n`,
    );
  }
  await tellMainStory({ stage, agent, narrator });
  await tellRevocations({ stage, agent, narrator });
  narrator.end();
}
