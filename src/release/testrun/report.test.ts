import { expect, test } from "vitest";
import { summarize, type TestReport, toHtml, toJUnit } from "./report.ts";

const passed = {
  name: "small",
  passed: true,
  runId: "1234567",
  status: "COMPLETED",
  seconds: 42,
  ranOn: "host",
  judgements: [{ expected: "a.vcf is there", passed: true }],
};
const wrong = {
  name: "large",
  passed: false,
  runId: "7654321",
  status: "COMPLETED",
  judgements: [{ expected: 'count is "<3>"', passed: false, found: '"4 & more"' }],
};
const broken = { name: "broken", passed: false, status: "FAILED", message: "task align failed", judgements: [] };
const report = (...tests: TestReport["tests"]): TestReport => ({
  workflow: "demo",
  version: "1.0.3",
  passed: tests.every((one) => one.passed),
  tests,
});

test("one sentence says what failed and why", () => {
  expect(summarize(report(passed))).toBe("1 of 1 tests passed");
  expect(summarize(report())).toBe("no tests are declared in omx.yaml");
  expect(summarize(report(passed, wrong, broken))).toBe(
    '2 of 3 tests failed: large: expected that count is "<3>", found "4 & more"; broken: FAILED (task align failed)',
  );
});

test("JUnit counts a run that did not complete as a failure of its own", () => {
  const xml = toJUnit(report(passed, wrong, broken));
  expect(xml).toContain('<testsuite name="small" tests="2" failures="0" time="42">');
  expect(xml).toContain('<testsuite name="large" tests="2" failures="1"');
  expect(xml).toContain('<testsuite name="broken" tests="1" failures="1"');
  expect(xml).toContain("&lt;3&gt;");
  expect(xml).toContain("4 &amp; more");
});

test("the page shows where tasks ran and lets no output write markup", () => {
  const page = toHtml(report(passed, { ...wrong, judgements: [{ expected: "x", passed: false, found: "<script>alert(1)</script>" }] }));
  expect(page).toContain("tasks ran on host");
  expect(page).toContain("1.0.3: failed");
  expect(page).not.toContain("<script");
});
