import { invalidParameter } from "../errors.ts";

type Json = Readonly<Record<string, unknown>>;

const MOST_WILDCARDS = 4;
const SINCE = ["sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"];

/**
 * Looks at a lifecycle policy as PutLifecyclePolicy does (userguide/lifecycle_policy_parameters.html).
 * @throws AwsError InvalidParameterException naming the rule that is wrong
 */
export function checkLifecyclePolicy(text: string): void {
  const why = whyNot(text);
  if (why !== undefined)
    throw invalidParameter(`at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${why}'`);
}

function whyNot(text: string): string | undefined {
  const policy = parse(text);
  const rules = policy?.["rules"];
  if (!Array.isArray(rules) || rules.length === 0) return policy ? "rules is not a list of rules" : "it is not a JSON document";
  const priorities = rules.map((rule) => (rule as Json | null)?.["rulePriority"]);
  if (new Set(priorities).size < rules.length) return "rulePriority is not different for each rule";
  for (const [index, rule] of rules.entries()) {
    const wrong = isObject(rule) ? whyNotRule(rule) : "it is not a rule";
    if (wrong !== undefined) return `rules[${index}]: ${wrong}`;
  }
  return whyNotLast(rules as readonly Rule[]);
}

interface Rule {
  readonly rulePriority: number;
  readonly selection: Json;
  readonly action: Json;
}

/** What holds for any image comes after all others that do the same; of storage classes the guide says nothing. */
function whyNotLast(rules: readonly Rule[]): string | undefined {
  const early = rules.findIndex(
    ({ rulePriority, selection, action }) =>
      selection["tagStatus"] === "any" &&
      rules.some((other) => other.action["type"] === action["type"] && other.rulePriority > rulePriority),
  );
  return early < 0 ? undefined : `rules[${early}]: its tagStatus is any, and it has not the highest rulePriority`;
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");

function whyNotRule({ rulePriority, description, selection, action, ...rest }: Json): string | undefined {
  if (Object.keys(rest).length > 0) return `${Object.keys(rest)[0]} is not known`;
  if (!isCount(rulePriority)) return "rulePriority is not a whole number from 1";
  if (description !== undefined && typeof description !== "string") return "description is not a text";
  if (!isObject(action) || !["expire", "transition"].includes(String(action["type"]))) return "action.type is not expire or transition";
  if (action["type"] === "transition" && action["targetStorageClass"] !== "archive") return "action.targetStorageClass is not archive";
  if (action["type"] === "expire" && "targetStorageClass" in action) return "action.targetStorageClass is not known of expire";
  return isObject(selection) ? whyNotSelection(selection) : "selection is missing";
}

function whyNotSelection({ tagStatus, tagPrefixList, tagPatternList, countType, countUnit, countNumber }: Json): string | undefined {
  if (!["tagged", "untagged", "any"].includes(String(tagStatus))) return "selection.tagStatus is not tagged, untagged or any";
  if (tagStatus === "tagged" && isTexts(tagPrefixList) === isTexts(tagPatternList))
    return "selection has not one of tagPrefixList and tagPatternList, as tagStatus tagged wants";
  const wild = [tagPatternList ?? []].flat().find((pattern) => String(pattern).split("*").length > MOST_WILDCARDS + 1);
  if (wild !== undefined) return `selection.tagPatternList: ${String(wild)} has more than ${MOST_WILDCARDS} wildcards`;
  if (tagStatus !== "tagged" && (tagPrefixList !== undefined || tagPatternList !== undefined))
    return `selection names tags, and tagStatus is ${String(tagStatus)}`;
  if (countType !== "imageCountMoreThan" && !SINCE.includes(String(countType)))
    return `selection.countType is not imageCountMoreThan, ${SINCE.join(" or ")}`;
  if (countType === "imageCountMoreThan" ? countUnit !== undefined : countUnit !== "days")
    return `selection.countUnit is not ${countType === "imageCountMoreThan" ? "left out, as imageCountMoreThan wants" : "days"}`;
  return isCount(countNumber) ? undefined : "selection.countNumber is not a whole number from 1";
}
