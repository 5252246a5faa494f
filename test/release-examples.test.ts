import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { ListPipelineExecutionsCommand } from "@aws-sdk/client-codepipeline";
import { DescribeImagesCommand, DescribeRepositoriesCommand, GetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { GetWorkflowVersionCommand, ListRunsCommand, ListWorkflowsCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readObject } from "../src/aws/objects.ts";
import { hasDocker } from "./demo.ts";
import { hello, omxYaml } from "./hello-workflow.ts";
import { done, type Journey, startJourney } from "./journey.ts";
import { attachSbom, clientsAs, imagesIn, pushed, SLOW, tasksOf, versionsIn } from "./journey-releases.ts";

const WORKFLOWS = ["reads-qc-nf", "gc-content-cwl", "hello"];

describe("releases by the commands of omx", () => {
  let journey: Journey;
  beforeAll(async () => {
    journey = await startJourney(WORKFLOWS);
  }, SLOW);
  afterAll(() => journey?.[Symbol.asyncDispose](), 60_000);

  const run = (...args: readonly string[]) => journey.cli.run(...args);
  test.each([
    ["reads-qc-nf", "Nextflow"],
    ["gc-content-cwl", "CWL"],
  ])(
    "%s (%s) is pushed, watched, approved and in production",
    async (workflow) => {
      const clone = journey.clone(workflow);
      clone.take(workflow);
      const id = await pushed(journey, workflow, clone, "The example");
      done(await run("release", "watch", workflow, "--execution", id, "--until-approval", "--json"));

      const logs = done(await run("release", "logs", workflow, "--execution", id, "--json"))
        .stdout.trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { stage: string; source: string });
      const sources = new Set(logs.map(({ stage, source }) => `${stage} ${source.replaceAll(/\d{3,}/g, "N")}`));
      expect([...sources]).toEqual(expect.arrayContaining(["Test run/N/engine"]));

      const asDeveloper = await run("release", "approve", workflow, "--execution", id, "--comment", "mine", "--profile", "developer");
      expect([asDeveloper.code, asDeveloper.stderr]).toEqual([1, expect.stringContaining("not authorized")]);
      const decided = done(
        await run("release", "approve", workflow, "--execution", id, "--comment", "the numbers are right", "--json"),
      ).json<object>();
      expect(decided).toMatchObject({
        workflow,
        decision: "Approved",
        by: "arn:aws:iam::111122223333:user/approver",
        comment: "the numbers are right",
      });
      const watched = await run("release", "watch", workflow, "--execution", id);
      expect([watched.code, watched.stdout.trim().split("\n").at(-1)]).toEqual([0, "Succeeded"]);
      expect(await versionsIn(journey, "production", workflow)).toEqual(["1.0.0"]);
      expect(await imagesIn(journey, "eu-west-1", workflow)).toEqual([
        expect.stringMatching(/^444455556666\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/.*@sha256:/),
      ]);
    },
    SLOW,
  );

  test(
    "a push to another branch starts nothing; a workflow that asks for it runs on production's own images, and is run there before it counts as released",
    async () => {
      const workflow = "hello";
      const clone = journey.clone(workflow);
      clone.write("main.wdl", hello("own-tools:1.0"));
      clone.write("own-tools/Dockerfile", "FROM public.ecr.aws/docker/library/python:3.12-slim-bookworm\nLABEL made=here\n");
      clone.write("data/names.csv", "file\n{{staging_uri}}/data/name.txt\n");
      clone.write("data/name.txt", "World\n");
      clone.write(
        "omx.yaml",
        `${omxYaml("Hello, World", '"2.0"', "data: { sheet: data/names.csv }")}images: { promote: copy, build: [{ source: own-tools, target: "own-tools:1.0" }] }\nproduction: { smoke: world }\n`,
      );
      const aside = await clone.push("On another branch", "aside");
      const id = await pushed(journey, workflow, clone, "Copies and a smoke run");
      const { pipelineExecutionSummaries: executions = [] } = await clientsAs(journey, "cicd").codepipeline.send(
        new ListPipelineExecutionsCommand({ pipelineName: `omx-${workflow}` }),
      );
      expect(
        executions.filter(
          ({ trigger, sourceRevisions = [] }) =>
            trigger?.triggerDetail?.includes(aside) || sourceRevisions.some(({ revisionId }) => revisionId === aside),
        ),
      ).toEqual([]);
      done(await run("release", "watch", workflow, "--execution", id, "--until-approval"));
      const sbom = await attachSbom(journey, "own-tools");
      done(await run("release", "approve", workflow, "--execution", id, "--comment", "good"));
      done(await run("release", "watch", workflow, "--execution", id));

      for (const region of ["us-east-1", "eu-west-1"]) {
        const bundle = `s3://omx-releases-444455556666-${region}/hello/2.0.0`;
        const verified = done(
          await run("images", "verify", "--bundle", bundle, "--profile", "cicd", "--production", "production", "--json"),
        ).json<object>();
        expect(verified).toMatchObject({
          ok: true,
          images: [{ view: "cicd" }, { view: "production" }],
          referrers: [
            {
              digest: sbom,
              type: "application/spdx+json",
              target: expect.stringContaining(`444455556666.dkr.ecr.${region}.`) as string,
              problems: [],
            },
          ],
        });
        const result = await readObject(clientsAs(journey, "production", region).s3, {
          bucket: `omx-releases-444455556666-${region}`,
          key: "hello/2.0.0/result.json",
        });
        expect(JSON.parse(result.toString("utf8"))).toMatchObject({
          message: expect.stringMatching(/; with its images is 1 signature, SBOM or attestation$/) as string,
          referrers: [{ referrers: [{ digest: sbom }] }],
        });
      }
      const { omics, ecr } = clientsAs(journey, "production");
      const { items = [] } = await omics.send(new ListRunsCommand({}));
      expect(items).toEqual([
        expect.objectContaining({ status: "COMPLETED", name: "hello 2.0.0 smoke world", workflowVersionName: "2.0.0" }),
      ]);
      const tasks = await tasksOf(omics, items[0]?.id ?? "");
      expect(tasks.map(({ imageDetails }) => imageDetails?.image)).toEqual([
        expect.stringMatching(/^444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com\/own-tools@sha256/),
      ]);
      const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: "own-tools" }));
      expect(imageDetails.map(({ imageDigest }) => imageDigest)).toContain(sbom);
      expect(imageDetails.filter(({ imageDigest }) => imageDigest !== sbom)).toEqual([
        expect.objectContaining({ imageTags: ["hello-2.0.0"], imageDigest: tasks[0]?.imageDetails?.imageDigest }),
      ]);
      const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["own-tools"] }));
      expect(repositories).toMatchObject([{ encryptionConfiguration: { encryptionType: "KMS", kmsKey: journey.productionKey } }]);
      const build = await readObject(clientsAs(journey, "approver").s3, {
        bucket: "omx-artifacts-111122223333-us-east-1",
        key: "evidence/hello/2.0.0/build.json",
      });
      expect(JSON.parse(build.toString("utf8"))).toMatchObject({ author: "Developer <developer@example.org>", promote: "copy" });
      const releases = "omx-releases-444455556666-us-east-1";
      const sheet = await readObject(clientsAs(journey, "production").s3, { bucket: releases, key: "hello/2.0.0/smoke/data/names.csv" });
      expect(sheet.toString("utf8")).toBe(`file\ns3://${releases}/hello/2.0.0/smoke/data/name.txt\n`);
      const { policyText = "" } = await clientsAs(journey, "cicd").ecr.send(
        new GetRepositoryPolicyCommand({ repositoryName: "own-tools" }),
      );
      expect((JSON.parse(policyText) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid)).not.toContain(
        "OmxHealthOmics444455556666",
      );
    },
    SLOW,
  );

  test(
    "a RUN is carried out by an engine on a base of the mirror, and refused with its line where there is none",
    async () => {
      const clone = journey.clone("hello");
      clone.write("main.wdl", hello("tools:1.0"));
      clone.write("tools/Dockerfile", "FROM public.ecr.aws/docker/library/python:3.12-slim-bookworm\nRUN echo built > /built\n");
      clone.write("omx.yaml", `${omxYaml("Hello, World", '"3.0"')}images: { build: [{ source: tools, target: "tools:1.0" }] }\n`);
      const id = await pushed(journey, "hello", clone, "A RUN");
      const watched = await run("release", "watch", "hello", "--execution", id, "--until-approval");
      const logs = done(await run("release", "logs", "hello", "--execution", id)).stdout;
      expect([watched.code, logs]).toEqual(
        hasDocker()
          ? [0, expect.stringMatching(/SUCCEEDED .*tools:1\.0/)]
          : [1, expect.stringMatching(/Dockerfile:2: RUN .*needs Docker, Podman or Buildah/)],
      );
      if (hasDocker()) done(await run("release", "reject", "hello", "--execution", id, "--comment", "seen"));
    },
    SLOW,
  );

  test(
    "what a release is refused for is said by the step that refuses it, and nothing of it is in production",
    async () => {
      const clone = journey.clone("hello");
      const outcome = async (message: string) => {
        const id = await pushed(journey, "hello", clone, message);
        const watched = await run("release", "watch", "hello", "--execution", id, "--until-approval");
        return { id, code: watched.code, said: watched.stdout, logs: (await run("release", "logs", "hello", "--execution", id)).stdout };
      };

      clone.write("main.wdl", hello("public.ecr.aws/docker/library/python:no-such-tag"));
      clone.write("omx.yaml", omxYaml("Hello, World"));
      const missing = await outcome("An image that is not there");
      expect(missing.code).toBe(1);
      expect(missing.logs).toMatch(/public\.ecr\.aws\/docker\/library\/python:no-such-tag: public\.ecr\.aws does not have it/);

      clone.write("main.wdl", hello("public.ecr.aws/docker/library/python:3.12-slim-bookworm"));
      // Whoever may push to one repository makes no version of another's workflow.
      const others = await versionsIn(journey, "cicd", "reads-qc-nf");
      clone.write("omx.yaml", omxYaml("Hello, World").replace("name: hello\n", "name: reads-qc-nf\n"));
      const stranger = await outcome("Another workflow's name");
      expect([stranger.code, stranger.logs]).toEqual([
        1,
        expect.stringContaining("omx.yaml names the workflow reads-qc-nf, and this repository's pipeline releases hello"),
      ]);
      expect(await versionsIn(journey, "cicd", "reads-qc-nf")).toEqual(others);

      clone.write("omx.yaml", omxYaml("Good evening"));
      const wrong = await outcome("An expectation that is not met");
      expect([wrong.code, wrong.said]).toEqual([1, expect.stringContaining("Good evening")]);

      clone.write("omx.yaml", omxYaml("Hello, World"));
      const rejected = await outcome("One that is rejected");
      expect(rejected.code).toBe(0);
      const silent = await run("release", "reject", "hello", "--execution", rejected.id);
      expect([silent.code, silent.stderr]).toEqual([2, expect.stringContaining("--comment")]);
      done(await run("release", "reject", "hello", "--execution", rejected.id, "--comment", "not this week"));
      const ended = await run("release", "watch", "hello", "--execution", rejected.id);
      expect([ended.code, ended.stdout]).toEqual([1, expect.stringContaining("not this week")]);
      expect(await versionsIn(journey, "production", "hello")).not.toContain("1.0.1");

      const accepted = await outcome("One that is good");
      done(await run("release", "approve", "hello", "--execution", accepted.id, "--comment", "good"));
      done(await run("release", "watch", "hello", "--execution", accepted.id));
      // Failed and rejected versions keep their numbers.
      expect(await versionsIn(journey, "production", "hello")).toContain("1.0.2");
    },
    SLOW,
  );

  test(
    "a workflow is run and published without a pipeline",
    async () => {
      const clone = journey.clone("inner");
      clone.write("main.wdl", hello("public.ecr.aws/docker/library/python:3.12-slim-bookworm"));
      clone.write("inputs.json", JSON.stringify({ name: "World" }));
      // Leads out of the repository: nobody may read there what lies on this machine.
      symlinkSync("/etc/passwd", join(clone.folder, "README.md"));
      const ran = done(await run("run", clone.folder, "--params", `${clone.folder}/inputs.json`, "--json")).json<{
        status: string;
        outputs: Record<string, string>;
      }>();
      expect(ran).toMatchObject({ status: "COMPLETED", outputs: { "hello.said": "Hello, World" } });
      const published = done(
        await run(
          "publish",
          clone.folder,
          "--name",
          "inner",
          "--version-name",
          "0.1.0",
          "--description",
          "by hand",
          "--tag",
          "team=genomics",
          "--json",
        ),
      ).json<object>();
      expect(published).toMatchObject({ versionName: "0.1.0", status: "ACTIVE" });
      expect(await versionsIn(journey, "cicd", "inner")).toEqual(["0.1.0"]);
      const { omics } = clientsAs(journey, "cicd");
      const { items = [] } = await omics.send(new ListWorkflowsCommand({ name: "inner" }));
      const { readme } = await omics.send(
        new GetWorkflowVersionCommand({ workflowId: items[0]?.id, versionName: "0.1.0", export: ["README"] }),
      );
      expect(readme).toBeUndefined();
    },
    SLOW,
  );
});
