import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { contextOf, openCodeLab, type OwnCodeLab, phasesOf, spec } from "./testing/own-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnCodeLab;
beforeAll(async () => {
  lab = await openCodeLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("phases", () => {
  test("run in one shell, whose variables and folder survive", async () => {
    const build = await lab.built(
      spec({ install: { commands: ["export A=1 B=2", "mkdir -p deep && cd deep"] }, build: { commands: ['echo "> $A $B ${PWD##*/}"'] } }),
    );
    expect(build).toMatchObject({ buildStatus: "SUCCEEDED", said: ["1 2 deep"] });
    expect(phasesOf(build)).toEqual({
      SUBMITTED: "SUCCEEDED",
      QUEUED: "SUCCEEDED",
      DOWNLOAD_SOURCE: "SUCCEEDED",
      INSTALL: "SUCCEEDED",
      BUILD: "SUCCEEDED",
      UPLOAD_ARTIFACTS: "SUCCEEDED",
      COMPLETED: undefined,
    });
  });

  test("of 0.1 have a shell for each command", async () => {
    const { said } = await lab.built({ version: "0.1", phases: { build: { commands: ["A=1; cd /", 'echo "> ${A:-none} ${PWD##*/}"'] } } });
    expect(said).toEqual(["none src"]);
  });

  const SUCCEEDING = 'echo "> $CODEBUILD_BUILD_SUCCEEDING"';

  test("a failed build is followed by its finally and post_build, which are told", async () => {
    const build = await lab.built(
      spec({
        pre_build: { commands: [SUCCEEDING] },
        build: { commands: ["false", "echo '> not reached'"], finally: [SUCCEEDING] },
        post_build: { commands: [SUCCEEDING] },
      }),
    );
    expect(build.said).toEqual(["1", "0", "0"]);
    expect(build.buildStatus).toBe("FAILED");
    expect(phasesOf(build)).toMatchObject({
      PRE_BUILD: "SUCCEEDED",
      BUILD: "FAILED",
      POST_BUILD: "SUCCEEDED",
      UPLOAD_ARTIFACTS: "SUCCEEDED",
    });
    expect(contextOf(build)).toEqual({
      statusCode: "COMMAND_EXECUTION_ERROR",
      message: "Error while executing command: false. Reason: exit status 1",
    });
  });

  test("a failed pre_build ends the build after its finally", async () => {
    const build = await lab.built(
      spec({
        pre_build: { commands: ["(exit 7)"], finally: ["echo '> cleaned'"] },
        build: { commands: ["echo '> not reached'"] },
        post_build: { commands: ["echo '> not reached'"] },
      }),
    );
    expect(build.said).toEqual(["cleaned"]);
    expect(phasesOf(build)).not.toHaveProperty("UPLOAD_ARTIFACTS");
    expect(contextOf(build)?.message).toContain("exit status 7");
  });

  test("on-failure: CONTINUE goes on, ABORT keeps post_build from running", async () => {
    const [continued, aborted] = await Promise.all([
      lab.built(spec({ install: { "on-failure": "CONTINUE", commands: ["false"] }, build: { commands: [SUCCEEDING] } })),
      lab.built(spec({ build: { "on-failure": "ABORT", commands: ["false"] }, post_build: { commands: ["echo '> not reached'"] } })),
    ]);
    expect(continued).toMatchObject({ buildStatus: "FAILED", said: ["0"] });
    expect(aborted).toMatchObject({ buildStatus: "FAILED", said: [] });
  });

  test("a command that leaves the shell ends its phase with its exit status", async () => {
    expect(contextOf(await lab.built(spec({ build: { commands: ["exit 3"] } })))?.message).toContain("exit status 3");
  });
});

describe("a buildspec", () => {
  test.each([
    [
      "secrets that are not there",
      { env: { "secrets-manager": { PASSWORD: "prod/db:password" } } },
      /variable PASSWORD: secret prod\/db:password can't be read/,
    ],
    ["another user", { "run-as": "nobody-we-know" }, /wants to run as nobody-we-know/],
    ["a retry", { phases: { build: { "on-failure": "RETRY-2", commands: ["true"] } } }, /on-failure RETRY-2 is not there/],
    ["a phase's unknown key", { phases: { build: { command: ["true"] } } }, /phase build has command/],
    ["an unknown version", { version: "0.3" }, /version 0\.3 is not known/],
  ])("%s fail the build by name before it begins", async (_name, more, message) => {
    const build = await lab.built({ ...spec({ build: { commands: ["true"] } }), ...more });
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build)?.message).toMatch(message);
    expect(phasesOf(build)).not.toHaveProperty("BUILD");
  });

  test("the user of the local accounts may be named; what has no effect is said", async () => {
    const { buildStatus, lines } = await lab.built({
      ...spec({ build: { commands: ["true"] } }),
      "run-as": userInfo().username,
      cache: { paths: ["x"] },
      reports: {},
    });
    expect(buildStatus).toBe("SUCCEEDED");
    expect(lines.filter((line) => line.includes("has no effect")).map((line) => line.split(" ")[1])).toEqual(["cache", "reports"]);
  });
});
