import { agentIdentityFeatures } from "@countersign/feature-flags";
import { openPrivateDirectory, writePrivateFile } from "@countersign/private-file";
import { readConfigText } from "../config/config.js";
import { changeFeature } from "../config/feature-change.js";
import { formatWarning } from "../config/features.js";
import type { Run } from "../config/run.js";
import { formatColumns } from "../text/output.js";

/** `features list`. */
export async function listFeatures(run: Run): Promise<void> {
  const states = (await run.features()).list();
  run.output.result(
    states.map(({ key, stage, enabled, source, from, description }) => ({
      key,
      stage,
      enabled,
      source,
      from,
      description,
    })),
    () =>
      formatColumns(
        states.map(({ key, stage, enabled, source, from }) => [
          key,
          stage.replaceAll("_", " "),
          String(enabled),
          from ?? source,
        ]),
      ),
  );
}

/** `features enable KEY`. */
export async function enableFeature(
  run: Run,
  _options: unknown,
  [name = ""]: readonly string[],
): Promise<void> {
  await setFeature(run, name, true);
}

/** `features disable KEY`. */
export async function disableFeature(
  run: Run,
  _options: unknown,
  [name = ""]: readonly string[],
): Promise<void> {
  await setFeature(run, name, false);
}

async function setFeature(run: Run, name: string, value: boolean): Promise<void> {
  const { environment } = run;
  const { file } = await run.config();
  const before = await readConfigText(file);
  const change = changeFeature(agentIdentityFeatures, {
    name,
    value,
    text: before,
    file,
    environment,
  });
  const { state, text, warnings } = change;
  if (text !== undefined && text !== before) {
    await openPrivateDirectory(run.home);
    await writePrivateFile(file, text);
  }
  for (const warning of warnings) run.output.warn(formatWarning(warning));
  const { key } = state;
  if (text === undefined) {
    run.output.result({ key, enabled: state.enabled, file }, () => `${key} is ${state.enabled}`);
    return;
  }
  if (state.enabled !== value) {
    run.output.warn(`${state.from ?? state.source} says otherwise and wins over ${run.home}`);
  }
  run.output.result({ key, enabled: value, file }, () => `${key} = ${value} in ${file}`);
}
