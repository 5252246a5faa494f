import type { Judgement } from "./matchers.ts";

/** The outcome of a release's tests: the file `tests.json`, from which the other forms are made. */
export interface TestReport {
  readonly workflow: string;
  readonly version: string;
  readonly passed: boolean;
  readonly tests: readonly TestResult[];
}

export interface TestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly runId?: string;
  readonly status: string;
  /** What HealthOmics says of a run that did not complete. */
  readonly message?: string;
  readonly outputUri?: string;
  /** Seconds from start to stop, as HealthOmics counts them. */
  readonly seconds?: number;
  /** Where the tasks ran: `omics` on AWS; locally docker, podman or host. */
  readonly ranOn?: string;
  readonly judgements: readonly Judgement[];
}

/** One sentence for a log, an execution's cause, an approval. */
export function summarize({ tests, passed }: TestReport): string {
  const failed = tests.filter((test) => !test.passed);
  if (passed) return tests.length === 0 ? "no tests are declared in omx.yaml" : `${tests.length} of ${tests.length} tests passed`;
  return `${failed.length} of ${tests.length} tests failed: ${failed.map((test) => `${test.name}: ${reason(test)}`).join("; ")}`.slice(
    0,
    30_000,
  );
}

function reason({ status, message, judgements }: TestResult): string {
  if (status !== "COMPLETED") return `${status}${message ? ` (${message})` : ""}`;
  return judgements
    .filter((judgement) => !judgement.passed)
    .map(({ expected, found }) => `expected that ${expected}, found ${found ?? "nothing"}`)
    .join(", ");
}

/** JUnit XML: a suite for each test, a case for each expectation. */
export function toJUnit({ workflow, version, tests }: TestReport): string {
  const suites = tests.map((test) => {
    const failures = test.judgements.filter((judgement) => !judgement.passed).length + (test.status === "COMPLETED" ? 0 : 1);
    const run = `<testcase name="run ${text(test.runId ?? "")} completes" classname="${text(test.name)}">${test.status === "COMPLETED" ? "" : `<failure message="${text(`${test.status} ${test.message ?? ""}`)}"/>`}</testcase>`;
    const cases = test.judgements.map(
      ({ expected, passed, found }) =>
        `<testcase name="${text(expected)}" classname="${text(test.name)}">${passed ? "" : `<failure message="${text(found ?? "")}"/>`}</testcase>`,
    );
    return `  <testsuite name="${text(test.name)}" tests="${test.judgements.length + 1}" failures="${failures}" time="${test.seconds ?? 0}">\n    ${[run, ...cases].join("\n    ")}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${text(`${workflow} ${version}`)}">\n${suites.join("\n")}\n</testsuites>\n`;
}

/** A page of its own, without scripts and without anything from elsewhere. */
export function toHtml(report: TestReport): string {
  const rows = report.tests.map(
    (test) => `
    <section><h2>${mark(test.passed)} ${text(test.name)}</h2>
    <p>run ${text(test.runId ?? "none")}, ${text(test.status)}${test.seconds === undefined ? "" : `, ${test.seconds} s`}${test.ranOn ? `, tasks ran on ${text(test.ranOn)}` : ""}${test.message ? `: ${text(test.message)}` : ""}</p>
    <ul>${test.judgements.map(({ passed, expected, found }) => `<li>${mark(passed)} ${text(expected)}${found ? `<br><small>found ${text(found)}</small>` : ""}</li>`).join("")}</ul></section>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${text(report.workflow)} ${text(report.version)}</title>
<style>body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}.pass{color:#177245}.fail{color:#b3261e}</style>
<h1>${text(report.workflow)} ${text(report.version)}: ${report.passed ? "passed" : "failed"}</h1>${rows.join("")}</html>\n`;
}

const mark = (passed: boolean): string => (passed ? '<b class="pass">✓</b>' : '<b class="fail">✗</b>');
const text = (raw: string): string =>
  raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
