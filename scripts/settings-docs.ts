// Writes docs/settings.md from the schema of the settings: npm run settings-docs.

import { writeFileSync } from "node:fs";
import { settingsPage } from "../src/core/settings-reference.ts";

writeFileSync(new URL("../docs/settings.md", import.meta.url), settingsPage());
