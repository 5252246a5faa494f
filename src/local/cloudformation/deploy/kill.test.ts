import { describe, expect, test } from "vitest";
import { openDatabase } from "../../storage/database.ts";
import { type Bench, openBench } from "../testing/bench.ts";
import { Killed, mortal } from "../testing/mortal.ts";
import { openWorld, type World } from "../testing/world.ts";

type Resources = Readonly<Record<string, object>>;

/** A small deterministic source of choices. */
function choices(seed: number) {
  let state = seed * 2654435761 + 1;
  const next = (bound: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return state % bound;
  };
  return { next, oneIn: (bound: number) => next(bound) === 0 };
}

/** Some things that need some earlier ones; a few fail, a few are retained. */
function randomResources({ next, oneIn }: ReturnType<typeof choices>, mayFail: boolean): Resources {
  const ids = ["A", "B", "C", "D", "E", "F"].filter(() => !oneIn(4));
  const entries = (ids.length > 0 ? ids : ["A"]).map((id, index, all) => [
    id,
    {
      Type: "Test::Thing",
      Properties: {
        Size: next(3),
        Name: `n${next(2)}`,
        ...(oneIn(3) && { Shape: `s${next(2)}` }),
        ...(mayFail && oneIn(7) && { Fail: "no" }),
        Uses: all
          .slice(0, index)
          .filter(() => oneIn(2))
          .map((other) => (oneIn(2) ? { Ref: other } : { "Fn::GetAtt": [other, "Arn"] })),
      },
      ...(oneIn(6) && { DeletionPolicy: "Retain" }),
    },
  ]);
  return Object.fromEntries(entries) as Resources;
}

/** What the operations of a scenario begin. */
function scenario(seed: number) {
  const choice = choices(seed);
  return {
    first: randomResources(choice, choice.oneIn(3)),
    second: randomResources(choice, choice.oneIn(2)),
    third: choice.oneIn(2) ? undefined : randomResources(choice, false),
  };
}

const end = async (work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  }
};

/** Runs an operation, killed before its n-th write, then resumes it until it ends. */
async function withKill(
  shared: { world: World; database: ReturnType<typeof openDatabase>; parallel: number },
  { lifetime, begin }: { lifetime: number; begin(bench: Bench): void },
) {
  begin(openBench(shared));
  const killed = mortal(shared.database, lifetime);
  const isDone = await end(() => openBench({ ...shared, database: killed.database }).goOn());
  // Whatever was under way in the dead process has come to nothing before the next one starts.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  const bench = openBench(shared);
  await bench.goOn();
  return { bench, wasKilled: !isDone };
}

const whole = (bench: Bench) => ({
  status: bench.stack().status,
  // Physical ids are made of the stack, the logical id and the token: equal worlds were made by equal steps.
  things: [...bench.world.things].map(([id, { properties }]) => [id, properties]).sort(),
  statuses: bench.deployer.store.resources.list(bench.stack().id).map(({ logicalId, status }) => `${logicalId} ${status}`),
  leftovers: bench.deployer.store.leftovers.list(bench.stack().id),
  operation: bench.stack().operation,
});

type Act = (bench: Bench) => void;

function acts(seed: number): readonly Act[] {
  const { first, second, third } = scenario(seed);
  const updating =
    (resources: Resources): Act =>
    (bench) =>
      bench.stack().status.startsWith("ROLLBACK") ? bench.begin.delete() : bench.begin.update(resources);
  return [
    (bench) => bench.begin.create(first),
    updating(second),
    third ? (bench) => (bench.stack().status === "DELETE_COMPLETE" ? undefined : updating(third)(bench)) : () => undefined,
    (bench) => (bench.stack().status === "DELETE_COMPLETE" ? undefined : bench.begin.delete()),
  ];
}

/** Physical things that neither the stack nor its events of retention know of. */
function orphans(bench: Bench): readonly string[] {
  const { store } = bench.deployer;
  const named = new Set(store.resources.list(bench.stack().id).map(({ physicalId }) => physicalId));
  const retained = new Set(
    store.events
      .list(bench.stack().id, {})
      .filter(({ event }) => event.status === "DELETE_SKIPPED")
      .map(({ event }) => event.physicalId),
  );
  return [...bench.world.things.keys()].filter((id) => !named.has(id) && !retained.has(id));
}

async function killedEverywhere(
  seed: number,
  parallel: number,
  check: (bench: Bench, place: { index: number; text: string }) => void,
): Promise<void> {
  for (let lifetime = 0, anyKilled = true; anyKilled; lifetime++) {
    anyKilled = false;
    const shared = { world: openWorld(), database: openDatabase(":memory:"), parallel };
    for (const [index, act] of acts(seed).entries()) {
      const { bench, wasKilled } = await withKill(shared, { lifetime, begin: act });
      anyKilled ||= wasKilled;
      check(bench, { index, text: `operation ${index}, killed after ${lifetime} writes` });
    }
    shared.database.close();
  }
}

describe.each(Array.from({ length: 10 }, (_, seed) => seed + 1))("scenario %i, killed before any write", (seed) => {
  test("one resource at a time: each operation ends as if nothing had happened", async () => {
    const undisturbed = openBench({ parallel: 1 });
    const expected: unknown[] = [];
    for (const act of acts(seed)) {
      act(undisturbed);
      await undisturbed.goOn();
      expected.push(whole(undisturbed));
    }
    await killedEverywhere(seed, 1, (bench, { index, text }) => expect(whole(bench), text).toEqual(expected[index]));
  });

  test("several at a time: no operation is left open, and nothing is left that nobody knows of", async () => {
    await killedEverywhere(seed, 4, (bench, { text }) => {
      expect(bench.stack().status, text).toMatch(/_COMPLETE$/);
      expect(bench.stack().operation, text).toBeUndefined();
      expect(bench.deployer.store.leftovers.list(bench.stack().id), text).toEqual([]);
      expect(orphans(bench), text).toEqual([]);
    });
  });
});
