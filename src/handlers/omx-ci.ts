import { runCommand } from "./ci/commands.ts";

// The exit code is the build's verdict: CodeBuild fails the phase on anything but 0.
process.exitCode = await runCommand(process.argv[2] ?? "");
