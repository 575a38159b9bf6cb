// What `npm run build` leaves, as far as synthesizing looks at it: real functions are not needed for a template.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { functionNames } from "../../infra/bundles.ts";

export function fakeBuiltFolder(): string {
  const dist = mkdtempSync(join(tmpdir(), "burst-dist-"));
  const files = [
    ...functionNames.map((name) => `functions/${name}/index.mjs`),
    "agent/Dockerfile",
    "bundles/agent.mjs",
  ];
  for (const file of files) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    writeFileSync(join(dist, file), `// ${file}\n`);
  }
  return dist;
}
