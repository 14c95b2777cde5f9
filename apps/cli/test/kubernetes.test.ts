import { readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProcess, temporaryDirectory } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { createEnvironment } from "../src/home/environment.js";
import { loadAuthoritySettings } from "../src/serve/authority-config.js";
import { loadGatewaySettings, withSettings } from "../src/serve/gateway-config.js";
import { unknownWords } from "./documented-commands.js";

const CLI = join(import.meta.dirname, "..");
const TEXT = readFileSync(join(CLI, "../../docs/operating/kubernetes.yaml"), "utf8");

/** Where the schema and the type of each kind are. */
const MODULES = {
  Deployment: "kubernetes-models/apps/v1/Deployment",
  StatefulSet: "kubernetes-models/apps/v1/StatefulSet",
  Service: "kubernetes-models/v1/Service",
  ConfigMap: "kubernetes-models/v1/ConfigMap",
  NetworkPolicy: "kubernetes-models/networking.k8s.io/v1/NetworkPolicy",
  PodDisruptionBudget: "kubernetes-models/policy/v1/PodDisruptionBudget",
} as const;

type Kind = keyof typeof MODULES;

/** Holds a manifest against the schema of its kind, and throws for what is wrong. */
async function validate(kind: Kind, manifest: object): Promise<void> {
  // Without its types, which do not pass this project's checks.
  const { [kind]: Model } = await import(MODULES[kind]);
  new Model(manifest).validate();
}

/** The ingress, by an address of documents (RFC 5737): a copy without a change trusts no machine. */
const INGRESS = "192.0.2.0/28";

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext?: object;
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly terminationGracePeriodSeconds?: number;
  readonly automountServiceAccountToken?: boolean;
}

interface Manifest {
  readonly kind: Kind;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

const documents = parseAllDocuments(TEXT, { uniqueKeys: true });
const manifests = documents.map((document) => document.toJS() as Manifest);
const pods = manifests.flatMap(({ metadata, spec }) =>
  spec?.template === undefined ? [] : [{ name: metadata.name, pod: spec.template.spec }],
);
const containersOf = ({ containers, initContainers = [] }: PodSpec) => [
  ...initContainers,
  ...containers,
];
const podOf = (name: string) =>
  pods.find((it) => it.name === name)?.pod ?? expect.unreachable(`there is no ${name}`);

test("is YAML without errors, warnings and members twice", () => {
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
});

describe("the schema of Kubernetes", () => {
  test.each(manifests)("takes the $kind $metadata.name", async (manifest) => {
    await validate(manifest.kind, manifest);
  });

  test("refuses a wrong type", async () => {
    const wrong = validate("Deployment", { spec: { replicas: "2" } });
    await expect(wrong).rejects.toThrow(/replicas must be integer/);
  });

  // The schema lets members pass that it does not know. The types that are made of it do not.
  test("has every member that the manifests have", async () => {
    expect(await typeErrors(manifests)).toBe("");
    const [first = expect.unreachable()] = manifests;
    const misspelt = JSON.parse(JSON.stringify(first).replace("readinessProbe", "readynessProbe"));
    expect(await typeErrors([misspelt])).toMatch(
      /"readynessProbe"' does not exist in type 'IContainer'/,
    );
  });
});

test("every container of this program starts a command of it, confined, by a fixed version", () => {
  for (const { pod } of pods) {
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const { image, command = [], args = [], securityContext } of containersOf(pod)) {
      expect(image).toMatch(/:\d+\.\d+\.\d+$/);
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      if (!image.includes("/countersign:")) continue;
      const inShell = /countersign ([^<]+)/
        .exec(args[0] ?? "")?.[1]
        ?.trim()
        .split(" ");
      expect(unknownWords(command.length > 0 ? (inShell ?? ["?"]) : args)).toEqual([]);
    }
  }
});

test("the gateway takes its configuration, and has longer to end than that says", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "gateway.toml");
  const config = manifests.find(({ kind }) => kind === "ConfigMap")?.data?.["gateway.toml"] ?? "";
  await writeFile(file, config, { mode: 0o600 });
  const set = withSettings(await loadGatewaySettings(createEnvironment({}), file, () => {}), {});
  expect(set).toMatchObject({ account: ["acct-1"], drainDelay: "10s", drainTimeout: "60s" });
  expect(set.trustedProxy).toEqual([INGRESS]);
  expect(podOf("gateway").terminationGracePeriodSeconds).toBeGreaterThan(2 * 10 + 60);
});

test("what believes the ingress is reached by it alone", () => {
  const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy");
  expect(policies.map(({ spec }) => spec)).toMatchObject([
    {
      podSelector: { matchExpressions: [{ key: "app", values: ["authority", "gateway"] }] },
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ port: "http" }] }, { ports: [{ port: "operations" }] }],
    },
  ]);
});

test("the authority knows the variables that it gets", async () => {
  const [{ env = [] } = expect.unreachable()] = podOf("authority").containers;
  const variables = Object.fromEntries(env.map(({ name, value = "" }) => [name, value]));
  expect(variables.COUNTERSIGN_AUTHORITY_TRUSTED_PROXIES).toBe(INGRESS);
  const warnings: string[] = [];
  const environment = createEnvironment(variables);
  await loadAuthoritySettings(environment, {}, undefined, (it) => warnings.push(it));
  expect(warnings).toEqual([]);
});

/** What TypeScript says of these manifests as literals of their types. */
async function typeErrors(checked: readonly Manifest[]): Promise<string> {
  await using folder = await temporaryDirectory();
  await mkdir(join(folder.path, "node_modules"));
  const models = join(CLI, "node_modules/kubernetes-models");
  await symlink(models, join(folder.path, "node_modules/kubernetes-models"));
  const lines = checked.flatMap((manifest, index) => {
    const { kind } = manifest;
    return [
      `import type { I${kind} as T${index} } from "${MODULES[kind]}";`,
      `export const m${index}: T${index} = ${JSON.stringify(manifest)};`,
    ];
  });
  const file = join(folder.path, "manifests.mts");
  await writeFile(file, lines.join("\n"));
  const tsc = join(CLI, "../../node_modules/.bin/tsc");
  const options = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--module",
    "nodenext",
  ];
  const { stdout } = await runProcess(tsc, [...options, "--types", "", file]);
  return stdout;
}
