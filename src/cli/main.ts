import { runCli } from "./run.ts";
import { createCli } from "./terminal.ts";

const cli = createCli();

// A reader that closed our output (`| head`) has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const code = await runCli(cli, process.argv.slice(2));
// Open connections to AWS must not hold the program back; what was written is flushed first.
process.stdout.write("", () => process.exit(code));
