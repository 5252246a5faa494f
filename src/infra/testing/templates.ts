import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { DeployConfig } from "../../release/project/deploy-config.ts";
import type { AppContext } from "../context.ts";
import { releaseApp } from "../release-app.ts";

const ROOT = join(import.meta.dirname, "../../..");
const CONNECTION = "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d-0a1b-4c2d-8e3f-0a1b2c3d4e5f";
const secret = (name: string): string => `arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/${name}-AbCdEf`;
const WITH_LOGIN = ["docker.io", "ghcr.io", "registry.gitlab.com", "cgr.dev", "lab.azurecr.io"];

/** Every member that changes a template, used. */
export const RICH = DeployConfig.parse({
  cicd: { account: "111122223333", region: "eu-west-1" },
  production: [
    { account: "444455556666", region: "eu-west-1" },
    { account: "777788889999", region: "us-west-2" },
  ],
  workflows: {
    "from-github": { source: "connection", repository: "lab/flow", branch: "release", connectionArn: CONNECTION },
    "from-an-old-gitlab": {
      source: "connection",
      repository: "lab/team/flow",
      connectionArn: CONNECTION.replace("codeconnections", "codestar-connections"),
    },
    "from-codecommit": { repository: "another-name", branch: "main" },
  },
  dataSources: ["s3://genomes/human/", "s3://reads"],
  containers: {
    sourceAccounts: ["123456789012"],
    crossRegion: true,
    builderSources: ["s3://dockerfiles/tools/"],
    buildHours: 5,
    pullThrough: ["quay.io", "public.ecr.aws", "registry.k8s.io", ...WITH_LOGIN],
    repositories: {
      kmsKeys: ["arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d", "arn:aws:kms:us-west-2:777788889999:key/0a1b2c3d"],
      immutableTags: true,
    },
    upstreams: { "gcr.io": "https://mirror.example.org" },
    namespaces: { "eu.gcr.io": "eu-gcr" },
    credentials: Object.fromEntries(WITH_LOGIN.map((host) => [host, secret(host)])),
  },
  keepData: true,
  consoleUrl: "https://omx.example.org",
});

/**
 * Synthesizes a deployment below a folder, as `cdk synth` does but for what the assets hold.
 * @param make the stacks @default all of the deployment's
 * @returns the paths of its templates
 */
export function synthesize(
  folder: string,
  config: DeployConfig,
  make: (app: App, context: AppContext) => void = releaseApp,
): readonly string[] {
  const outdir = join(folder, "cdk.out");
  const bundle = (of: string): string => {
    mkdirSync(join(folder, of), { recursive: true });
    writeFileSync(join(folder, of, "index.mjs"), "");
    return join(folder, of);
  };
  const { context } = JSON.parse(readFileSync(join(ROOT, "cdk.json"), "utf8")) as { context: Record<string, unknown> };
  const app = new App({ analyticsReporting: false, outdir, context });
  make(app, { config, bundles: { functions: bundle("functions"), toolkit: bundle("toolkit") } });
  app.synth();
  return readdirSync(outdir)
    .filter((file) => file.endsWith(".template.json"))
    .map((file) => join(outdir, file));
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>>;
}

/** The ARN that a resource will have, as far as IAM looks at its form. */
const ARNS: Readonly<Record<string, string>> = {
  "AWS::S3::Bucket": "arn:aws:s3:::",
  "AWS::KMS::Key": "arn:aws:kms:r:1:key/",
  "AWS::IAM::Role": "arn:aws:iam::1:role/",
  "AWS::Lambda::Function": "arn:aws:lambda:r:1:function:",
  "AWS::CodeBuild::Project": "arn:aws:codebuild:r:1:project/",
  "AWS::CodeCommit::Repository": "arn:aws:codecommit:r:1:",
  "AWS::SNS::Topic": "arn:aws:sns:r:1:",
};
const PSEUDO: Readonly<Record<string, string>> = { "AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333" };

/** The templates of a deployment, and their texts with every reference followed. */
export class Templates {
  readonly resources: readonly (readonly [path: string, resource: Resource, stack: string])[];
  readonly #stacks: ReadonlyMap<string, Template>;
  readonly #exports: ReadonlyMap<string, readonly [stack: string, value: unknown]>;

  constructor(files: readonly string[]) {
    this.#stacks = new Map(
      files.map((file) => [file.replace(/^.*\/|\.template\.json$/g, ""), JSON.parse(readFileSync(file, "utf8")) as Template]),
    );
    this.#exports = new Map(
      [...this.#stacks].flatMap(([stack, { Outputs = {} }]) =>
        Object.values(Outputs).flatMap(({ Value, Export }): [string, readonly [string, unknown]][] =>
          Export ? [[Export.Name, [stack, Value]]] : [],
        ),
      ),
    );
    this.resources = [...this.#stacks].flatMap(([stack, { Resources }]) =>
      Object.entries(Resources).map(([id, resource]) => [`${stack}/${id}`, resource, stack] as const),
    );
  }

  ofType(type: string): readonly (readonly [path: string, resource: Resource, stack: string])[] {
    return this.resources.filter(([, { Type }]) => Type === type);
  }

  /** How many bytes a policy has without white space, its references followed. */
  size(stack: string, policy: unknown): number {
    const isReference = (value: unknown): boolean =>
      typeof value === "object" && value !== null && Object.keys(value).length === 1 && /^(Ref|Fn::)/.test(Object.keys(value)[0] ?? "");
    return Buffer.byteLength(JSON.stringify(policy, (_, value: unknown) => (isReference(value) ? this.text(stack, value) : value)));
  }

  /** What an ARN or a name will be: the ids of resources stand for what CloudFormation makes. */
  text(stack: string, value: unknown): string {
    if (typeof value === "string") return value;
    const [name, given] = Object.entries(value as Readonly<Record<string, unknown>>)[0] ?? [];
    if (name === "Fn::Join") return (given as readonly [string, readonly unknown[]])[1].map((part) => this.text(stack, part)).join("");
    if (name === "Fn::ImportValue") return this.text(...(this.#exports.get(this.text(stack, given)) ?? [stack, ""]));
    const [id, attribute] = name === "Ref" ? [String(given), undefined] : (given as readonly [string, string]);
    const type = this.#stacks.get(stack)?.Resources[id]?.Type ?? "";
    return PSEUDO[id] ?? (attribute === "Arn" || type === "AWS::SNS::Topic" ? `${ARNS[type] ?? `arn of ${type}: `}${id}` : id);
  }
}
