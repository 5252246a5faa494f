import { expect, test } from "vitest";
import { conformanceRegistry, ONE, TWO } from "../testing/conformance.ts";
import { CICD, REGION } from "../../testing/accounts.ts";
import { SECTIONS, walkSection } from "../testing/walk/walk.ts";

// bench/images/conformance.ts walks the same way through any registry.

const registry = conformanceRegistry();

/** What ECR does not do, and the specification lets a registry leave undone (behaviour.md). */
const UNSUPPORTED = /(^|: )DELETE$|^anonymous mount$|^an (image|index) without one of its (layers|images)$|^tags in the query of a push$/;

test.each(Object.keys(SECTIONS))(
  "%s: all that the specification asks for",
  async (section) => {
    const { url, user } = registry;
    const repositories = [`${CICD}/${REGION}/${ONE}`, `${CICD}/${REGION}/${TWO}`] as const;
    const outcomes = await walkSection(
      { url, repositories, authorization: `Basic ${Buffer.from(`AWS:${user.password}`).toString("base64")}` },
      section,
    );
    expect(outcomes.filter(({ result }) => result === "failed")).toEqual([]);
    expect(
      outcomes.flatMap(({ check, result }) => (result === "unsupported" ? [check] : [])).filter((check) => !UNSUPPORTED.test(check)),
    ).toEqual([]);
    expect(outcomes.some(({ result }) => result === "passed")).toBe(true);
  },
  60_000,
);
