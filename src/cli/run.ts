import { CommanderError } from "commander";
import { ReleaseError } from "../release/errors.ts";
import { type Cli, NotDone, Problem, UsageError } from "./cli.ts";
import { buildProgram } from "./program.ts";

/** Runs a command line. @returns the exit code: 0 done, 1 not done, 2 wrong usage */
export async function runCli(cli: Cli, args: readonly string[]): Promise<number> {
  try {
    const words = asHelpOption(args);
    const program = await buildProgram(cli, words);
    await program.parseAsync([...words], { from: "user" });
    return 0;
  } catch (error) {
    return explain(cli, error as Error);
  }
}

/** `help images plan` is `images plan --help`: commander's own help knows commands of the first level alone. */
const asHelpOption = (args: readonly string[]): readonly string[] => (args[0] === "help" && args.length > 2 ? [...args.slice(1), "--help"] : args);

/** Tells why something was not done. @returns the exit code */
export function explain(cli: Cli, error: Error): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof NotDone) return 1;
  if (error instanceof UsageError) return tell(cli, 2, error.message, "`omx help` lists the commands");
  if (error instanceof Problem || error instanceof ReleaseError) return tell(cli, 1, error.message, error.fix);
  const fix = advice(error);
  // Without advice it may be a mistake of ours: the stack is what a report needs.
  return tell(cli, 1, fix || isExpected(error) ? `${NAMES_THAT_TELL_NOTHING.has(error.name) ? "" : `${error.name}: `}${error.message}` : (error.stack ?? error.message), fix);
}

function tell(cli: Cli, code: number, message: string, fix?: string): number {
  cli.say(`✗ ${message}`);
  if (fix) cli.say(`  ${fix}`);
  return code;
}

/** Names of AWS's errors are what people look for; these are not. */
const NAMES_THAT_TELL_NOTHING: ReadonlySet<string> = new Set(["Error", "InvalidValue", "BadArchive"]);

/** Errors with a code of the system, of AWS, or thrown for people have a message that is enough. */
const isExpected = (error: Error & { readonly code?: unknown; readonly $fault?: unknown }): boolean =>
  error.code !== undefined || error.$fault !== undefined || error.constructor === Error || error.name === "InvalidValue" || error.name === "BadArchive";

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing answers there; start the local accounts with `omx local start`",
  ENOSPC: "the disk is full: free some space and run the command again; what was done is kept",
  ENOENT: "check the path",
  EACCES: "check the permissions of the file or folder",
  ExpiredTokenException: "sign in again (`aws sso login`), then run the command again",
  CredentialsProviderError: "choose an identity with --profile, or start the local accounts with `omx local start`",
  AccessDeniedException: "choose an identity that may do this with --profile (`approver` approves, `cicd` and `production` administrate)",
};

function advice(error: Error & { readonly code?: string }): string | undefined {
  return ADVICE[error.code ?? ""] ?? ADVICE[error.name];
}
