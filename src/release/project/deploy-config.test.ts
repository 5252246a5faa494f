import { describe, expect, test } from "vitest";
import { DeployConfig } from "./deploy-config.ts";
import { readYaml } from "./yaml-problems.ts";

const ACCOUNT = "111122223333";
const places = `cicd: {account: "${ACCOUNT}", region: us-east-1}\nproduction: [{account: "444455556666", region: us-east-1}]\ncontainers:\n`;

/** Problems of `containers`, whose lines are given. */
function problems(...lines: readonly string[]): readonly string[] {
  const read = readYaml(`${places}${lines.map((line) => `  ${line}\n`).join("")}`, { schema: DeployConfig, file: "omx.deploy.yaml" });
  return "problems" in read ? read.problems : [];
}

const secret = (name: string, { region = "us-east-1", account = ACCOUNT } = {}) =>
  `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;

describe("containers.namespaces", () => {
  test("every hostile entry is told where it stands, and what to write", () => {
    expect(
      problems(
        "namespaces:",
        "  quay: q1",
        "  index.docker.io: hub",
        "  Lab.example: lab1",
        "  '*': all",
        "  eu.gcr.io: e",
        "  one.example: quay",
        "  two.example: lab/two",
        "  three.example: lab",
      ),
    ).toEqual([
      'omx.deploy.yaml:5:5: containers.namespaces.quay: "quay" is not a valid registry: write the host as images do: quay.io or quay:5000',
      "omx.deploy.yaml:6:5: containers.namespaces.index.docker.io: index.docker.io is another name of docker.io; write docker.io",
      'omx.deploy.yaml:7:5: containers.namespaces.Lab.example: "Lab.example" is not a valid registry: write lab.example in lower case',
      'omx.deploy.yaml:8:5: containers.namespaces.*: "*" stands for no registries; write * and the rest of a host in lower case, as in *.example.org',
      expect.stringMatching(
        /^omx\.deploy\.yaml:9:5: containers\.namespaces\.eu\.gcr\.io: images of eu\.gcr\.io need a prefix of 2 to 256 .*; write one as eu-gcr-io$/,
      ),
      "omx.deploy.yaml:10:5: containers.namespaces.one.example: images of one.example would meet those of quay.io, which go to quay/; write another namespace, as in one-example",
      "omx.deploy.yaml:12:5: containers.namespaces.three.example: images of three.example would meet those of two.example, which go to lab/two/; write another namespace, as in three-example",
    ]);
  });

  test("cicd's own registry keeps its names", () => {
    expect(problems(`namespaces: {${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com: own}`)).toEqual([
      expect.stringMatching(/^omx\.deploy\.yaml:4:16: .* are at home in cicd, and keep their names; leave it out$/),
    ]);
    expect(problems(`namespaces: {${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com: west}`)).toEqual([]);
  });

  test("other registries and patterns are taken", () => {
    expect(problems("namespaces: {eu.gcr.io: eu-gcr, 'lab.example:5000': lab, '*.lab.example': labs/*, '[::1]:5000': here}")).toEqual([]);
  });
});

describe("containers.pullThrough", () => {
  test.each([
    ["constructor", "constructor.example.org or constructor:5000"],
    [
      "gcr.io",
      "does not read gcr.io (it reads quay.io, public.ecr.aws, registry.k8s.io, docker.io, ghcr.io, registry.gitlab.com, cgr.dev, *.azurecr.io); leave it out: its images are copied",
    ],
    ["nvcr.io", "does not read nvcr.io"],
    ["444455556666.dkr.ecr.us-east-1.amazonaws.com", "does not read 444455556666"],
    ["registry-1.docker.io", "another name of docker.io; write docker.io"],
    ["k8s.gcr.io", "write registry.k8s.io"],
    ["Quay.io", "in lower case"],
    ["'*.azurecr.io'", "is no registry; name one by its host"],
    ["https://quay.io", "write quay.io alone"],
  ])("refuses %s", (host, sentence) => {
    const told = problems("pullThrough:", "  - public.ecr.aws", `  - ${host}`);
    expect(told).toEqual([expect.stringMatching(/^omx\.deploy\.yaml:6:7: containers\.pullThrough\.1: /)]);
    expect(told[0]).toContain(sentence);
  });

  test("a registry that is listed twice is told once", () => {
    expect(problems("pullThrough: [quay.io, public.ecr.aws, quay.io]")).toEqual([
      "omx.deploy.yaml:4:42: containers.pullThrough.2: quay.io is listed already; leave it out",
    ]);
  });

  test("a prefix has 30 characters, as ECR wants it", () => {
    expect(problems("pullThrough: [quay.io]", `namespaces: {quay.io: ${"q".repeat(30)}}`)).toEqual([]);
    expect(problems("pullThrough: [quay.io]", `namespaces: {quay.io: ${"q".repeat(31)}}`)).toEqual([
      expect.stringMatching(
        /^omx\.deploy\.yaml:4:17: containers\.pullThrough\.0: .* 2 to 30 characters, and q{31} has 31; give quay\.io another under containers\.namespaces, as in \{"quay\.io": "quay-io"\}$/,
      ),
    ]);
    const azure = `${"lab".repeat(9)}.azurecr.io`;
    expect(problems(`pullThrough: [${azure}]`, `credentials: {${azure}: "${secret("ecr-pullthroughcache/azure-AbCdEf")}"}`)).toEqual([
      expect.stringContaining("acr/lablablab"),
    ]);
    expect(
      problems(
        `pullThrough: [${azure}]`,
        `credentials: {${azure}: "${secret("ecr-pullthroughcache/azure-AbCdEf")}"}`,
        `namespaces: {${azure}: labs}`,
      ),
    ).toEqual([]);
  });

  test("two registries never have one prefix", () => {
    expect(problems("pullThrough: [quay.io, public.ecr.aws]", "namespaces: {public.ecr.aws: quay}")).toEqual([
      expect.stringContaining(
        "omx.deploy.yaml:5:16: containers.namespaces.public.ecr.aws: images of public.ecr.aws would meet those of quay.io",
      ),
    ]);
  });

  test.each([
    ["no secret", "ghcr.io", undefined, /4:17: containers\.pullThrough\.0: the cache reads ghcr\.io with credentials alone/],
    [
      "a secret of another name",
      "ghcr.io",
      secret("hub-AbCdEf"),
      /5:17: containers\.credentials\.ghcr\.io: .* begins with ecr-pullthroughcache\/ alone/,
    ],
    ["a name that is the beginning alone", "ghcr.io", secret("ecr-pullthroughcache/"), /begins with ecr-pullthroughcache\/ alone/],
    [
      "a secret of another name where none is needed",
      "quay.io",
      secret("hub-AbCdEf"),
      /begins with ecr-pullthroughcache\/ alone; name such a one, or leave quay\.io out of pullThrough/,
    ],
    [
      "a secret of another region",
      "ghcr.io",
      secret("ecr-pullthroughcache/hub-AbCdEf", { region: "eu-west-1" }),
      /its own account and region; make it in 111122223333, us-east-1/,
    ],
    [
      "a secret of another account",
      "ghcr.io",
      secret("ecr-pullthroughcache/hub-AbCdEf", { account: "444455556666" }),
      /its own account and region/,
    ],
    ["an ARN that is too long", "ghcr.io", secret(`ecr-pullthroughcache/${"x".repeat(600)}`), /up to 612/],
  ])("refuses %s", (_, host, arn, sentence) =>
    expect(problems(`pullThrough: [${host}]`, ...(arn ? [`credentials: {${host}: "${arn}"}`] : []))).toEqual([
      expect.stringMatching(sentence),
    ]),
  );

  test("what ECR takes is taken", () => {
    expect(
      problems(
        "pullThrough: [quay.io, public.ecr.aws, registry.k8s.io, ghcr.io, cgr.dev]",
        `credentials: {ghcr.io: "${secret("ecr-pullthroughcache/gh-AbCdEf")}", cgr.dev: "${secret("ecr-pullthroughcache/cg-AbCdEf")}"}`,
      ),
    ).toEqual([]);
  });
});

test("upstreams and credentials are named by a registry's one name, and never told", () => {
  expect(problems("upstreams: {index.docker.io: 'https://mirror.example'}", `credentials: {hub.docker.com: "${secret("hub")}"}`)).toEqual([
    "omx.deploy.yaml:4:15: containers.upstreams.index.docker.io: index.docker.io is another name of docker.io; write docker.io",
    "omx.deploy.yaml:5:17: containers.credentials.hub.docker.com: hub.docker.com is another name of docker.io; write docker.io",
  ]);
  expect(problems("upstreams: {quay.io: 'ftp://mirror.example', ghcr.io: mirror}")).toHaveLength(2);
  expect(problems("upstreams: {quay.io: 'https://robot:hunter2@mirror.example'}")).toEqual([
    expect.stringMatching(
      /^omx\.deploy\.yaml:4:15: containers\.upstreams\.quay\.io: (?!.*hunter2)write the address without name, password/,
    ),
  ]);
  expect(problems("credentials: {docker.io: hunter2}").join()).not.toContain("hunter2");
  expect(problems("upstreams: {444455556666.dkr.ecr-fips.us-east-1.amazonaws.com: 'https://mirror.example'}")).toEqual([]);
  expect(problems("upstreams: {quay.io: 'http://127.0.0.1:5001', 'localhost:5000': 'https://mirror.example/path'}")).toEqual([]);
});

/** Problems of a whole omx.deploy.yaml. */
function problemsOf(text: string): readonly string[] {
  const read = readYaml(text, { schema: DeployConfig, file: "omx.deploy.yaml" });
  return "problems" in read ? read.problems : [];
}

describe("what AWS would refuse", () => {
  const place = (account: string, region: string) => `{account: "${account}", region: ${region}}`;
  const deployment = (...production: readonly string[]) =>
    problemsOf(`cicd: ${place(ACCOUNT, "us-east-1")}\nproduction: [${production.join(", ")}]\n`);

  test("two deployments in one place would make roles and rules of the same names", () => {
    expect(deployment(place(ACCOUNT, "us-east-1"))).toEqual([
      expect.stringMatching(/:2:14: production\.0: 111122223333 in us-east-1 is cicd already: production needs another account or region$/),
    ]);
    expect(deployment(place("444455556666", "us-east-1"), place("444455556666", "us-east-1"))).toEqual([
      expect.stringMatching(/production\.1: 444455556666 in us-east-1 is listed already; leave it out$/),
    ]);
    expect(deployment(place(ACCOUNT, "eu-west-1"), place("444455556666", "us-east-1"), place("444455556666", "eu-west-1"))).toEqual([]);
  });

  test.each(["us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1"])(
    "HealthOmics is not in the partition of %s",
    (region) => {
      expect(deployment(place("444455556666", region))).toEqual([
        expect.stringMatching(/production\.0\.region: (HealthOmics is in AWS's commercial regions alone|a region looks like)/),
      ]);
    },
  );

  const CONNECTION = "arn:aws:codeconnections:us-east-1:111122223333:connection/0a1b2c3d-4e5f";
  const workflow = (members: string) =>
    problemsOf(
      `cicd: ${place(ACCOUNT, "us-east-1")}\nproduction: [${place("444455556666", "us-east-1")}]\nworkflows:\n  imaging: {${members}}\n`,
    );
  test.each([
    [`source: connection, repository: our-org/imaging`, "source: connection needs connectionArn"],
    [`source: connection, connectionArn: "${CONNECTION}"`, "source: connection needs the repository with its owner: our-org/imaging"],
    [`source: connection, repository: imaging, connectionArn: "${CONNECTION}"`, "needs the repository with its owner"],
    [
      `source: connection, repository: our-org/imaging, connectionArn: "arn:aws:iam::111122223333:role/x"`,
      "the ARN of a connection is needed: arn:aws:codeconnections:REGION:ACCOUNT:connection/ID",
    ],
    [`repository: our-org/imaging`, "the name of a repository of CodeCommit has letters, digits"],
  ])("%s", (members, sentence) => expect(workflow(members)).toEqual([expect.stringContaining(sentence)]));

  test("GitLab's groups in groups, and connections from before 2024, are taken", () => {
    expect(workflow(`source: connection, repository: our-org/lab/imaging, connectionArn: "${CONNECTION}"`)).toEqual([]);
    expect(
      workflow(
        `source: connection, repository: our-org/imaging, connectionArn: "${CONNECTION.replace("codeconnections", "codestar-connections")}"`,
      ),
    ).toEqual([]);
  });
});

test("places in S3 name a bucket", () => {
  expect(problems("builderSources: ['s3://', 's3://Bucket/x', bucket, 's3://bucket/prefix/', 's3://bucket']")).toEqual([
    expect.stringMatching(/^omx\.deploy\.yaml:4:20: containers\.builderSources\.0: .*an S3 URI looks like s3:\/\/bucket\/key$/),
    expect.stringMatching(/^omx\.deploy\.yaml:4:29: containers\.builderSources\.1: "s3:\/\/Bucket\/x"/),
    expect.stringMatching(/^omx\.deploy\.yaml:4:46: containers\.builderSources\.2: a bucket or a prefix looks like/),
  ]);
});

test("a build of an image has whole hours, no more than a sign-in to ECR lasts", () => {
  expect(problems("buildHours: 11")).toEqual([]);
  expect(problems("buildHours: 12")).toEqual([
    "omx.deploy.yaml:4:3: containers.buildHours: a build has at most 11 hours: it signs in to ECR at its beginning, for 12",
  ]);
  expect(problems("buildHours: 0.5")).toHaveLength(1);
});

describe("containers.repositories", () => {
  const key = (account: string, region = "us-east-1") => `"arn:aws:kms:${region}:${account}:key/0a1b2c3d"`;

  test("a key for each account and region is taken, one for none of them, a second one and an alias are refused", () => {
    expect(problems("repositories:", `  kmsKeys: [${key(ACCOUNT)}, ${key("444455556666")}]`, "  immutableTags: true")).toEqual([]);
    expect(
      problems("repositories:", "  kmsKeys:", `    - ${key("999900001111")}`, `    - ${key(ACCOUNT)}`, `    - ${key(ACCOUNT)}`),
    ).toEqual([
      "omx.deploy.yaml:6:9: containers.repositories.kmsKeys.0: omx makes no repositories in 999900001111 us-east-1: it does in 111122223333 us-east-1 and in 444455556666 us-east-1",
      "omx.deploy.yaml:8:9: containers.repositories.kmsKeys.2: there is a key for 111122223333 us-east-1 already; leave one of them",
    ]);
    expect(problems("repositories: {kmsKeys: [alias/images]}")).toEqual([
      expect.stringContaining("the ARN of a KMS key is needed: arn:aws:kms:REGION:ACCOUNT:key/ID, no alias"),
    ]);
    expect(problems("repositories: {lifecycle: 30}")).toEqual([
      expect.stringContaining("containers.repositories.lifecycle: is not known here; allowed: kmsKeys, immutableTags, scanOnPush"),
    ]);
  });
});
