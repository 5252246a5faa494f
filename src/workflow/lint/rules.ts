import { cwlRules } from "../cwl/rules.ts";
import { nextflowRules } from "../nextflow/rules.ts";
import type { Rule } from "../rule.ts";
import { wdlRules } from "../wdl/rules.ts";
import { generalRules } from "./general-rules.ts";

/** Every rule, those of all languages first. */
export const allRules: readonly Rule[] = [...generalRules, ...wdlRules, ...nextflowRules, ...cwlRules];

const BY_ID: ReadonlyMap<string, Rule> = new Map(allRules.map((rule) => [rule.id, rule]));

/** The rule with this id, or undefined. */
export const findRule = (id: string): Rule | undefined => BY_ID.get(id);
