// The agent reads one hand-off, one job, one set of settings. Compiling a parser for each, as zod does for
// those who read thousands, takes longer than reading them. To be imported before any schema is made.

import { config } from "zod";

config({ jitless: true });
