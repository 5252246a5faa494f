import type { Parameter, ParameterTemplate } from "../../inspection.ts";
import { tell, type Project } from "../project.ts";

/** CreateWorkflow's limits for a template (API_ParameterTemplate). */
const LONGEST_DESCRIPTION = 256;
const LONGEST_NAME = 128;
const MOST_ENTRIES = 1_000;

/** Whether the template could be sent as it is: HealthOmics answers 400 to the first entry that breaks a limit. */
export function checkTemplate(project: Project, template: ParameterTemplate, parameters: readonly Parameter[]): void {
  for (const { name, file, line } of parameters) {
    const say = (rule: string, message: string): void => tell(project, { rule, severity: "warning", file, line, column: 1, message });
    const description = template[name]?.description ?? "";
    const length = [...description].length;
    if (length > LONGEST_DESCRIPTION)
      say(
        "nextflow-description-long",
        `the description of ${name} has ${length} characters; a parameter template takes ${LONGEST_DESCRIPTION}`,
      );
    if (/[\p{Cc}]/u.test(description))
      say(
        "nextflow-description-control",
        `the description of ${name} has a line break or another control character, which a parameter template refuses`,
      );
    if ([...name].length > LONGEST_NAME)
      say("nextflow-parameter-name", `the name ${name.slice(0, 40)}... has more than ${LONGEST_NAME} characters`);
  }
  const [first] = parameters;
  if (parameters.length > MOST_ENTRIES && first !== undefined) {
    const message = `there are ${parameters.length} parameters; HealthOmics takes ${MOST_ENTRIES}`;
    tell(project, { rule: "nextflow-parameters-many", severity: "error", file: first.file, line: first.line, column: 1, message });
  }
}
