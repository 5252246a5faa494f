import type { Rule } from "../rule.ts";
import { allRules } from "./rules.ts";

const HEAD = `# Rules of omx lint

Made from the rules in the code; a test compares them. A finding can be taken back where it stands, with a reason, on
the same line or just above:

    # omx-ignore: image-latest the image is rebuilt for each release

In Nextflow the comment begins with \`//\`. JSON has no comments: what is found in a JSON file is taken back anywhere in the
main file.
`;

/** The page of all rules, in Markdown. */
export function rulesPage(): string {
  return `${HEAD}\n${table(allRules)}\n${allRules.map(section).join("\n")}`;
}

const table = (rules: readonly Rule[]): string =>
  [
    "| rule | severity | what is wrong |",
    "|---|---|---|",
    ...rules.map(({ id, severity, title }) => `| [${id}](#${id}) | ${severity} | ${cell(title)} |`),
    "",
  ].join("\n");

const cell = (text: string): string => text.replaceAll("|", "\\|");

const section = ({ id, severity, title, reason, fix }: Rule): string => `## ${id}

**${title}** (${severity}).

${reason}

*Instead:* ${fix}
`;
