import { expect, test } from "vitest";
import { TaskError } from "../local/states/asl/errors.ts";
import type { Json } from "../local/states/asl/json.ts";
import type { RunTask } from "../local/states/asl/task-call.ts";
import { runMachine } from "../local/states/asl/testing/machine.ts";
import { CICD, REGION } from "../local/testing/accounts.ts";
import { planEachBuild, planEachPull, readInput } from "../release/images/manifest.ts";
import { checkRoom, fitReasons } from "../release/images/room.ts";
import { outcomesIn } from "../release/images/results.ts";
import { builderDefinition, pullerDefinition } from "../release/images/state-machines.ts";

// The machines on a clock that does not wait; the functions that plan are the real ones, what a test gives does the work.
const PLACE = { account: CICD, region: REGION };
type Item = { readonly source_uri: string; readonly target_image: string; readonly status?: string };
type Work = (item: Item) => object;

async function run(
  kind: "pull" | "build",
  input: Json,
  {
    alone,
    together = () => {
      throw new TaskError("Lambda.Unknown", "");
    },
  }: { readonly alone: Work; readonly together?: (images: readonly Item[]) => readonly object[] },
) {
  const runTask: RunTask = ({ parameters }) => {
    const { FunctionName, Payload } = parameters as {
      readonly FunctionName: string;
      readonly Payload: { readonly images?: readonly Item[] };
    };
    if (FunctionName === "${PlanImages}") {
      const { manifest } = readInput(input, kind);
      const images = kind === "pull" ? planEachPull(manifest, PLACE) : planEachBuild(manifest, PLACE);
      checkRoom(images);
      return Promise.resolve({ Payload: { images: fitReasons<object>(images) } } as unknown as Json);
    }
    return Promise.resolve({
      Payload: Payload.images ? { images: fitReasons(together(Payload.images)) } : alone(Payload as Item),
    } as unknown as Json);
  };
  return (await runMachine(kind === "pull" ? pullerDefinition() : builderDefinition(2), { input, runTask })).result as {
    readonly status: string;
    readonly output?: readonly Item[];
    readonly error?: string;
    readonly cause?: string;
  };
}

/** As a function's error arrives: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const thrown = (name: string, errorMessage: string): never => {
  throw new TaskError(
    name,
    JSON.stringify({
      errorType: name,
      errorMessage,
      trace: [
        `${name}: ${errorMessage}`,
        ...Array.from({ length: 12 }, () => `    at somewhere (file:///var/task/chunk.mjs:1:${"9".repeat(60)})`),
      ],
    }),
  );
};
const imagesOf = ({ cause = "" }: { readonly cause?: string }) => outcomesIn(cause) ?? [];

test("E16: a function's error is that image's reason as a sentence, without its stack; any other cause is as it was", async () => {
  const said = 's3://b/"x"/\\:\nThe specified key does not exist.';
  const manifest = [
    "s3://bucket/missing.zip",
    "s3://bucket/busy.zip",
    "s3://bucket/odd.zip",
    "s3://bucket/mute.zip",
    "s3://bucket/cut.zip",
    "s3://bucket/fine.zip",
  ].map((source_uri, index) => ({ source_uri, target_image: `built/image:${index}` }));
  const ended = await run(
    "build",
    { manifest },
    {
      alone: ({ source_uri, target_image }) => {
        if (source_uri.includes("missing")) thrown("NoSuchKey", said);
        if (source_uri.includes("busy")) thrown("RegistryBusy", "quay.io is asked too often");
        if (source_uri.includes("odd")) throw new TaskError("States.Timeout", '{"errorMessage": no JSON');
        if (source_uri.includes("mute")) throw new TaskError("States.Timeout", "");
        if (source_uri.includes("cut")) throw new TaskError("NoSuchKey", '{"errorType":"NoSuchKey","errorMessage":"cut in the mid');
        return { source_uri, target_image, status: "SUCCEEDED" };
      },
    },
  );
  const names = (index: number) => ({
    source_uri: manifest[index]!.source_uri,
    target_image: expect.stringMatching(new RegExp(`/built/image:${index}$`)),
  });
  expect(imagesOf(ended)).toEqual([
    { ...names(0), status: "FAILED", reason: `NoSuchKey: ${said}` },
    { ...names(1), status: "FAILED", reason: "quay.io is asked too often" },
    { ...names(2), status: "FAILED", reason: 'States.Timeout: {"errorMessage": no JSON' },
    { ...names(3), status: "FAILED", reason: "States.Timeout" },
    { ...names(4), status: "FAILED", reason: 'NoSuchKey: {"errorType":"NoSuchKey","errorMessage":"cut in the mid' },
    { ...names(5), status: "SUCCEEDED" },
  ]);
});

test("an input that is none ends the execution with a sentence", async () => {
  const thrownByPlan = await runMachine(pullerDefinition(), {
    input: {},
    runTask: () => thrown("InvalidInput", 'the input has no list "manifest"'),
  });
  expect(thrownByPlan.result).toMatchObject({ status: "FAILED", error: "InvalidInput", cause: 'the input has no list "manifest"' });
});

const named = (count: number) =>
  Array.from({ length: count }, (_, index) => `quay.io/biocontainers/bioconductor-genomicfeatures:1.46.1--r41hdfd78af_${index}`);
const done = ({ source_uri, target_image }: Item) => ({
  source_uri,
  target_image,
  status: "SUCCEEDED",
  digest: `sha256:${"a".repeat(64)}`,
  size: 1_234_567_890,
  bytes_moved: 1_234_567_890,
  bytes_saved: 1_234_567_890,
  seconds: 123.456,
  reason: "the target did not have it",
});

test("500 images with the names that images have: every result is told", async () => {
  const { status, output } = await run("pull", { manifest: named(500) }, { alone: done, together: (images) => images.map(done) });
  expect([status, output!.length, output!.every((image) => image.status === "SUCCEEDED")]).toEqual(["SUCCEEDED", 500, true]);
});

test.each(["together", "alone"] as const)(
  "500 images that fail at length, %s: the reasons are shortened, and the execution says that images failed",
  async (how) => {
    const long = "the registry does not answer ".repeat(40);
    const failing = ({ source_uri, target_image }: Item) => ({
      source_uri,
      target_image,
      status: "FAILED",
      reason: `"${source_uri}": ${long}`,
    });
    const ended = await run(
      "pull",
      { manifest: named(500) },
      { alone: failing, ...(how === "together" && { together: (images) => images.map(failing) }) },
    );
    expect(ended).toMatchObject({ status: "FAILED", error: "ImagesFailed" });
    const { failed, sources } = JSON.parse(ended.cause!) as { readonly failed: number; readonly sources: readonly string[] };
    expect([failed, sources]).toEqual([500, named(500).slice(0, sources.length)]);
    expect(sources.length).toBeGreaterThan(300);
  },
);

test("one of 500 images that fails is named with its reason, although the results of all are too long for a cause", async () => {
  const [, bad] = named(2);
  const ended = await run(
    "pull",
    { manifest: named(500) },
    {
      alone: done,
      together: (images) =>
        images.map((image) =>
          image.source_uri === bad ? { ...image, status: "FAILED", reason: "quay.io does not have it" } : done(image),
        ),
    },
  );
  expect(JSON.parse(ended.cause!)).toEqual({
    failed: 1,
    results: "in the output of the state EachImage",
    failures: [{ source_uri: bad, reason: "quay.io does not have it" }],
  });
});

test("the results are the ECR helper's records, in a list, with what it lacked beside its members", async () => {
  const [digest, logs] = [
    `sha256:${"a".repeat(64)}`,
    { log: "/aws/codebuild/omx-image-pull:1a2b", log_link: "https://console.aws.amazon.com/cloudwatch/home" },
  ];
  const at = {
    image: { source_uri: "ubuntu:20.04", target_image: `${CICD}.dkr.ecr.${REGION}.amazonaws.com/dockerhub/library/ubuntu:20.04` },
  };
  const end = (outcome: object) =>
    run("pull", { manifest: ["ubuntu:20.04"] }, { alone: ({ source_uri, target_image }) => ({ source_uri, target_image, ...outcome }) });
  const found = { digest, size: 7, bytes_moved: 0, bytes_saved: 7, seconds: 0.1 };
  expect((await end({ status: "SKIPPED", reason: "it is there", ...found })).output).toEqual([
    { ...at, status: "SKIPPED", statusMessage: "it is there", ...found },
  ]);
  const failed = await end({ status: "FAILED", reason: "the build b:1 ended FAILED", build: "b:1", ...logs });
  const record = {
    ...at,
    status: "FAILED",
    statusMessage: "the build b:1 ended FAILED",
    build: { id: "b:1", logs: { logstream: logs.log, deeplink: logs.log_link } },
  };
  expect(JSON.parse(failed.cause!)).toEqual({ failed: 1, images: [record] });
  expect(imagesOf(failed)).toEqual([{ ...at.image, status: "FAILED", reason: "the build b:1 ended FAILED", build: "b:1", ...logs }]);
  expect((await run("pull", { manifest: [] }, { alone: done })).output).toEqual([]);
  // An execution that an earlier omx started told flat ones; a release that is tried again finds it.
  const flat = { ...at.image, status: "SKIPPED", reason: "it is there", ...found };
  expect([outcomesIn(JSON.stringify({ images: [flat] })), outcomesIn('the input has no list "manifest"'), outcomesIn("")]).toEqual([
    [flat],
    undefined,
    undefined,
  ]);
});

test("a reason is not shortened where there is room", async () => {
  const reason = "line\n".repeat(800);
  const ended = await run(
    "pull",
    { manifest: ["quay.io/lab/tool:1"] },
    { alone: ({ source_uri, target_image }) => ({ source_uri, target_image, status: "FAILED", reason }) },
  );
  expect(imagesOf(ended)[0]!.reason).toBe(reason);
});

test("more images than an execution can tell of are refused before anything moves", () => {
  expect(() => checkRoom(planEachPull(named(2000), PLACE) as readonly Item[])).toThrow(
    /^the manifest has 2000 images, and Step Functions carries the results of about \d{3} of them/,
  );
});
