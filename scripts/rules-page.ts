/** Writes docs/rules.md from the rules of the linter: `node scripts/rules-page.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { rulesPage } from "../src/workflow/lint/pages.ts";

writeFileSync(join(import.meta.dirname, "../docs/rules.md"), rulesPage());
