import { GetRunCommand } from "@aws-sdk/client-omics";
import type { AwsClients } from "../../aws/clients.ts";
import { isMissing, readObject, writeObject } from "../../aws/objects.ts";
import type { TestCase } from "../project/omx-yaml.ts";
import { judge, type Judgement } from "./matchers.ts";
import { openOutputs, type RunOutputs } from "./outputs.ts";
import { summarize, type TestReport, type TestResult, toHtml, toJUnit } from "./report.ts";
import type { TestRunInput } from "./state-machine.ts";

/** What the state machine found of one run. */
export interface EndedRun {
  readonly name: string;
  readonly runId?: string;
  readonly status: string;
  readonly message?: string;
  readonly outputUri?: string;
}

/** The file `expectations.json` of a build: what its tests expect, kept apart from what the runs are given. */
export interface Expectations {
  readonly workflow: string;
  readonly version: string;
  readonly tests: readonly Pick<TestCase, "name" | "expect">[];
  /** The report of the last released version, for `sameAsLastRelease`. */
  readonly lastReport?: TestReport;
}

/**
 * Judges the runs of a release and writes the report beside the expectations, as JSON, JUnit XML and HTML.
 * @returns what the state machine decides by
 */
export async function judgeTests(
  clients: Pick<AwsClients, "s3" | "omics">,
  input: TestRunInput & { readonly runs: readonly EndedRun[] },
): Promise<{ readonly passed: boolean; readonly summary: string }> {
  const { bucket, prefix } = input.evidence;
  const expectations = JSON.parse(
    (await readObject(clients.s3, { bucket, key: `${prefix}/expectations.json` })).toString("utf8"),
  ) as Expectations;
  const tests: TestResult[] = [];
  for (const run of input.runs) tests.push(await judgeRun(clients, { run, expectations, evidence: input.evidence }));
  const report: TestReport = {
    workflow: expectations.workflow,
    version: expectations.version,
    passed: tests.every((test) => test.passed),
    tests,
  };
  const write = (name: string, body: string, type: string) => writeObject(clients.s3, { bucket, key: `${prefix}/${name}` }, body, type);
  await write("tests.xml", toJUnit(report), "application/xml");
  await write("tests.html", toHtml(report), "text/html");
  await write("tests.json", `${JSON.stringify(report, null, 2)}\n`, "application/json");
  return { passed: report.passed, summary: summarize(report) };
}

interface RunToJudge {
  readonly run: EndedRun;
  readonly expectations: Expectations;
  readonly evidence: { readonly bucket: string; readonly prefix: string };
}

async function judgeRun(clients: Pick<AwsClients, "s3" | "omics">, { run, expectations, evidence }: RunToJudge): Promise<TestResult> {
  const { name, runId, status, message, outputUri } = run;
  const described = {
    name,
    status,
    ...(runId && { runId, ...(await describeRun(clients, runId)) }),
    ...(message && { message }),
    ...(outputUri && { outputUri }),
  };
  if (status !== "COMPLETED" || !outputUri) return { ...described, passed: false, judgements: [] };
  const expected = expectations.tests.find((test) => test.name === name)?.expect ?? [];
  const before = expectations.lastReport?.tests.find((test) => test.name === name)?.outputUri;
  const lastRelease: RunOutputs | undefined = before ? openOutputs(clients.s3, before) : undefined;
  const outputs = openOutputs(clients.s3, outputUri);
  const judgements: Judgement[] = [];
  for (const matcher of expected)
    judgements.push(
      ...(await judge(matcher, {
        outputs,
        expectedFile: (path) => readObject(clients.s3, { bucket: evidence.bucket, key: `${evidence.prefix}/expected/${path}` }),
        ...(lastRelease && { lastRelease }),
      }).catch((error: Error) => [
        {
          expected: `${matcher.file ?? matcher.output} can be judged`,
          passed: false,
          found: isMissing(error) ? `nothing at ${error.message}` : error.message,
        },
      ])),
    );
  return { ...described, passed: judgements.every((judgement) => judgement.passed), judgements };
}

async function describeRun({ omics }: Pick<AwsClients, "omics">, id: string): Promise<{ seconds?: number; ranOn?: string }> {
  const { startTime, stopTime, tags } = await omics.send(new GetRunCommand({ id }));
  const ranOn = tags?.["omx:local:containers"];
  return {
    ...(startTime && stopTime && { seconds: Math.round((stopTime.getTime() - startTime.getTime()) / 100) / 10 }),
    ...(ranOn && { ranOn }),
  };
}
