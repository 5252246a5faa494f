import { type Command, CommanderError } from "commander";
import { ReleaseError } from "../release/errors.ts";
import { type Cli, NotDone, Problem, UsageError } from "./cli.ts";
import { buildProgram } from "./program.ts";

/** Runs a command line. @returns the exit code: 0 done, 1 not done, 2 wrong usage */
export async function runCli(cli: Cli, args: readonly string[]): Promise<number> {
  const wantsManual = args[0] === "help";
  const words = wantsManual ? args.slice(1) : args;
  const program = await buildProgram(cli, words);
  try {
    await program.parseAsync([...(wantsManual ? asHelpOption(program, words) : words)], { from: "user" });
    return 0;
  } catch (error) {
    return explain(cli, error as Error, namedBy(program, words).path);
  }
}

/** The command that the first words name, and those words. */
function namedBy(
  command: Command,
  words: readonly string[],
  path: readonly string[] = [],
): { readonly command: Command; readonly path: readonly string[] } {
  const [word] = words;
  const next = command.commands.find((one) => one.name() === word);
  return next && word ? namedBy(next, words.slice(1), [...path, word]) : { command, path };
}

/** `help images plan` is `images plan --help`: commander's own help knows commands of the first level alone, and nothing of a misspelt one. */
function asHelpOption(program: Command, words: readonly string[]): readonly string[] {
  const { command, path } = namedBy(program, words);
  const unknown = words[path.length];
  return unknown !== undefined && command.commands.length > 0 ? [...path, unknown] : [...path, "--help"];
}

/** Tells why something was not done by the command of this name. @returns the exit code */
export function explain(cli: Cli, error: Error, command: readonly string[] = []): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof NotDone) return 1;
  if (error instanceof UsageError)
    return tell(
      cli,
      2,
      error.message,
      command.length > 0 ? `\`omx help ${command.join(" ")}\` is the manual` : "`omx help` lists the commands",
    );
  // By its name: its module would be loaded for every command.
  if (error.name === "DeployConfigInvalid") return tell(cli, 2, error.message);
  if (error instanceof Problem || error instanceof ReleaseError) return tell(cli, 1, error.message, error.fix);
  const fix = advice(error);
  // Without advice it may be a mistake of ours: the stack is what a report needs.
  return tell(
    cli,
    1,
    fix || isExpected(error)
      ? `${NAMES_THAT_TELL_NOTHING.has(error.name) ? "" : `${error.name}: `}${saysOf(error)}`
      : (error.stack ?? error.message),
    fix,
  );
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
  error.code !== undefined ||
  error.$fault !== undefined ||
  error.constructor === Error ||
  error.name === "InvalidValue" ||
  error.name === "BadArchive";

/** What is not there, without the name of the system call. */
function saysOf({ message, code, path, syscall }: NodeJS.ErrnoException): string {
  if (code !== "ENOENT" || !path) return message;
  return syscall?.startsWith("spawn") ? `${path} was not found on PATH` : `${path} does not exist`;
}

const NOT_THEIRS =
  "who answers does not know these keys: they are mistyped, were deleted, or are of other accounts; `omx local status` says which local accounts run, and where";

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing answers there; start the local accounts with `omx local start`",
  ENOTFOUND: "nobody knows a host of that name: check the region, the endpoint of the profile, and the network",
  StateMachineDoesNotExist: "omx is not deployed in that account and region: `omx deploy` deploys it",
  ENOSPC: "the disk is full: free some space and run the command again; what was done is kept",
  ENOENT: "check the path",
  EROFS: "that file system can't be written to: choose another folder",
  EISDIR: "a folder was given where a file is needed",
  ENOTDIR: "a file was given where a folder is needed",
  EACCES: "check the permissions of the file or folder",
  ExpiredTokenException: "sign in again (`aws sso login`), then run the command again",
  NoSuchBucket: "check the bucket's name, and that it is in the account and region of the identity",
  ExpiredToken: "sign in again (`aws sso login`), then run the command again",
  InvalidClientTokenId: NOT_THEIRS,
  UnrecognizedClientException: NOT_THEIRS,
  SignatureDoesNotMatch: NOT_THEIRS,
  CredentialsProviderError:
    "sign in again (`aws sso login` of that profile), choose another identity with --profile, or start the local accounts with `omx local start`",
  AccessDeniedException: "choose an identity that may do this with --profile (`approver` approves, `cicd` and `production` administrate)",
};

function advice(error: NodeJS.ErrnoException): string | undefined {
  if (error.code === "ENOENT" && error.syscall?.startsWith("spawn")) return "install it; `omx doctor` says what else is missing";
  return ADVICE[error.code ?? ""] ?? ADVICE[error.name];
}
