import { type ECRClient, GetRepositoryPolicyCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { type Clock, systemClock } from "../../../kit/clock.ts";
import { type Random, systemRandom } from "../../../kit/random.ts";
import { ReleaseError } from "../../errors.ts";
import { mergePolicy, type Statement } from "./repository-policy.ts";

/** How waits are made. */
export interface Pace {
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default systemRandom */
  readonly random?: Random;
}

/** Longer than somebody else has between reading a policy and writing it, one repeated request included. */
const SETTLE_MS = 1000;
const ROUNDS = 6;

/**
 * Makes sure that the policies of repositories have these statements, beside what they have. ECR writes a policy without
 * asking what it was: of two that merge at once the one loses what the other has just written. So whoever wrote looks
 * again after a while, all repositories together, and writes what is gone once more.
 * @returns the repositories whose policy had to be changed
 * @throws RepositoryNotFoundException; ReleaseError ImageNotReadable where somebody takes the statements out again and again
 */
export async function ensureRepositoryPolicies(
  ecr: ECRClient,
  wanted: ReadonlyMap<string, readonly Statement[]>,
  pace: Pace = {},
): Promise<ReadonlySet<string>> {
  const { clock = systemClock, random = systemRandom } = pace;
  const changed = new Set<string>();
  let unsettled = wanted;
  for (let round = 1; round <= ROUNDS; round++) {
    const written = new Map<string, readonly Statement[]>();
    for (const [repository, statements] of unsettled) if (await mergeOnce(ecr, repository, statements)) written.set(repository, statements);
    for (const repository of written.keys()) changed.add(repository);
    if (written.size === 0) return changed;
    unsettled = written;
    // Who collided must not do so again: each waits a time of its own, within a span that grows.
    await clock.sleep(Math.round(SETTLE_MS * (1 + round * (Number.parseInt(random.hex(4), 16) / 0x1_0000))));
  }
  throw new ReleaseError("ImageNotReadable", {
    says: `the policies of ${[...unsettled.keys()].join(", ")} lost what omx writes into them ${ROUNDS} times`,
    fix: "see in CloudTrail who else calls SetRepositoryPolicy there, and try again when that is over",
    blame: "user",
  });
}

/** The SDK waits between what it calls attempts, and so does this. */
const READINGS = 5;

/**
 * Merges the statements into a repository's policy, without a look whether they stay. What could not be written is read
 * again before it is tried again: a text that waited for its repetition would take out what came in between.
 * @returns whether the policy had to be changed
 * @throws RepositoryNotFoundException
 */
export async function mergeOnce(ecr: ECRClient, repositoryName: string, statements: readonly Statement[]): Promise<boolean> {
  for (let reading = 1; ; reading++) {
    const policyText = mergePolicy(await readPolicy(ecr, repositoryName), statements);
    // One that was not answered may have been written all the same.
    if (policyText === undefined) return reading > 1;
    try {
      await ecr.send(unrepeated(new SetRepositoryPolicyCommand({ repositoryName, policyText })));
      return true;
    } catch (error) {
      if (!(error instanceof Repetition)) throw error;
      if (reading === READINGS) throw error.cause;
    }
  }
}

/** Instead of what the SDK was about to send again. */
class Repetition extends Error {
  override readonly name = "Repetition";
}

function unrepeated(command: SetRepositoryPolicyCommand): SetRepositoryPolicyCommand {
  let failure: unknown;
  command.middlewareStack.addRelativeTo(
    <Args, Result>(next: (args: Args) => Promise<Result>) =>
      async (args: Args): Promise<Result> => {
        if (failure !== undefined) throw new Repetition("this text was read before the last attempt", { cause: failure });
        try {
          return await next(args);
        } catch (error) {
          failure = error;
          throw error;
        }
      },
    { name: "unrepeated", relation: "after", toMiddleware: "retryMiddleware" },
  );
  return command;
}

/** The policy of a repository, where it has one. @throws RepositoryNotFoundException */
export const readPolicy = (ecr: ECRClient, repositoryName: string): Promise<string | undefined> =>
  ecr.send(new GetRepositoryPolicyCommand({ repositoryName })).then(
    ({ policyText }) => policyText,
    (error: Error) => {
      if (error.name === "RepositoryPolicyNotFoundException") return undefined;
      throw error;
    },
  );
