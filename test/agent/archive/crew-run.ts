// Run by crew.test.ts in a process of its own, in each of the ways this project is run: prints what a worker packed
// for a zip, and what came back of what another packed for a tar.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startCrew } from "../../../src/agent/archive/crew.ts";

const projectDir = process.argv[2] ?? "";
const entries = [{ name: "a", path: "a", kind: "file" }] as const;
const crew = startCrew(1);
const task = { projectDir, entries, smallBytes: 65_536 };
const { members } = await crew.work("compress", { ...task, level: 5 });
const { bytes } = await crew.work("tar", task);
const size = 4;
const times = { mode: 0o644, mtimeSeconds: 1 };
const packed = { method: 0, crc: 0, size, compressedSize: size, offset: 512 };
await crew.work("extract", {
  projectDir,
  archive: -1,
  bytes,
  files: [{ name: "b", ...times, ...packed }],
  links: [],
  directories: [],
});
await crew.close();
const packedForZip = members.map(({ member }) => [member.name, member.size]);
const back = readFileSync(join(projectDir, "b"), "utf8");
process.stdout.write(JSON.stringify([...packedForZip, ["b", back]]));
