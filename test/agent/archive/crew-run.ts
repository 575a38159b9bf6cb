// Run by crew.test.ts in a process of its own, in each of the ways this project is run: prints what a worker packed.

import { startCrew } from "../../../src/agent/archive/crew.ts";

const projectDir = process.argv[2] ?? "";
const crew = startCrew(1);
const { members } = await crew.work("compress", {
  projectDir,
  entries: [{ name: "a", path: "a", kind: "file" }],
  level: 5,
  smallBytes: 65_536,
});
await crew.close();
process.stdout.write(JSON.stringify(members.map(({ member }) => [member.name, member.size])));
