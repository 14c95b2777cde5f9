import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ACCOUNT, type CodexStage } from "./codex-stage.ts";
import { countersign, startCountersign } from "./countersign.ts";
import { EXAMPLES } from "./examples.ts";

/** A home of Codex, and the command that starts Codex in it. */
export interface CodexHome {
  /** `config.toml` of the home. */
  readonly configFile: string;
  /** A shell script that runs Codex with these arguments. Without any: as the document shows it. */
  command(args?: string): string;
  readonly env: Readonly<Record<string, string>>;
}

/** A way in which requests of Codex get their assertions. */
export interface CodexWay {
  /** As docs/codex.md names it. */
  readonly name: "flag" | "jwt" | "proxy";
  /** Makes a home in which there is no agent yet, as docs/codex.md shows it. */
  prepare(stage: CodexStage, name: string): Promise<CodexHome>;
}

/** Codex registers an agent by its feature flag. */
export const FLAG: CodexWay = {
  name: "flag",
  async prepare(stage, name) {
    const { setUp, command } = await readExample("codex-flag.sh", stage, name);
    await runScript(stage, setUp);
    return { configFile: join(stage.userHome, name, "config.toml"), command, env: {} };
  },
};

/** Codex has an agent in an identity JWT. */
export const JWT: CodexWay = {
  name: "jwt",
  async prepare(stage, name) {
    const { setUp, command } = await readExample("codex-jwt.sh", stage, name);
    const configFile = await writeConfig(stage, name, "codex-identity-jwt.toml");
    const token = await runScript(stage, `${setUp}\nprintf %s "$CODEX_ACCESS_TOKEN"`);
    return { configFile, command, env: { CODEX_ACCESS_TOKEN: token } };
  },
};

/** The signing proxy signs what Codex sends with an API key. */
export const PROXY: CodexWay = {
  name: "proxy",
  async prepare(stage, name) {
    const home = join(stage.userHome, `${name}-countersign`);
    const { authority, gatewayUrl } = stage;
    const { token } = await authority.registry.createAccessToken({
      ...{ accountId: ACCOUNT, userId: name, role: "human", ttlSeconds: 3600 },
    });
    const login = ["login", "--authority", authority.url, "--token-stdin"];
    await countersign(login, { home, input: token });
    await countersign(["features", "enable", "use_agent_identity"], { home });
    const proxy = await startCountersign(
      ["proxy", "--listen", "127.0.0.1:0", "--upstream", gatewayUrl],
      { home },
    );
    stage.scene.onEnd(() => proxy.close());
    const configFile = await writeConfig(stage, name, "codex.toml", proxy.url);
    const { setUp, command } = await readExample("codex-proxy.sh", stage, name);
    const env = { COUNTERSIGN_HOME: home };
    const print = `${setUp}\nprintf %s "$COUNTERSIGN_PROXY_TOKEN"`;
    const clientToken = await runScript(stage, print, env);
    return { configFile, command, env: { ...env, COUNTERSIGN_PROXY_TOKEN: clientToken } };
  },
};

/** Every way. */
export const CODEX_WAYS: readonly CodexWay[] = [FLAG, JWT, PROXY];

const TURN = "exec 'Say hello.'";

// The last paragraph of an example is the turn.
async function readExample(
  file: string,
  stage: CodexStage,
  name: string,
): Promise<{ readonly setUp: string; command(args?: string): string }> {
  const text = withUrls(await readFile(join(EXAMPLES, "codex", file), "utf8"), stage);
  const paragraphs = text.replaceAll("~/codex-agent", `~/${name}`).split("\n\n");
  const turn = paragraphs.pop() ?? "";
  if (!turn.includes(TURN)) throw new Error(`${file} does not end with a turn: ${turn}`);
  return {
    setUp: paragraphs.join("\n\n"),
    command: (args) => (args === undefined ? turn : turn.replace(TURN, args)),
  };
}

async function writeConfig(
  stage: CodexStage,
  name: string,
  file: string,
  proxyUrl = "",
): Promise<string> {
  const folder = join(stage.userHome, name);
  await mkdir(folder);
  const text = await readFile(join(EXAMPLES, "codex", file), "utf8");
  const configFile = join(folder, "config.toml");
  await writeFile(configFile, withUrls(text, stage).replace("http://127.0.0.1:4800", proxyUrl));
  return configFile;
}

function withUrls(text: string, { authority, gatewayUrl }: CodexStage): string {
  return text
    .replaceAll("http://127.0.0.1:4600", authority.url)
    .replaceAll("http://127.0.0.1:4700", gatewayUrl);
}

async function runScript(
  stage: CodexStage,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await stage.shell(script, env);
  if (code !== 0) throw new Error(`${script} ended ${code}: ${stderr}`);
  return stdout;
}
