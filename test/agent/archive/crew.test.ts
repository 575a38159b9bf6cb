import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { startCrew } from "../../../src/agent/archive/crew.ts";
import type { Crew } from "../../../src/agent/archive/crew.ts";
import type { CompressTask } from "../../../src/agent/archive/compress-files.ts";
import { plant, scratch } from "./workshop.ts";

const program = fileURLToPath(new URL("crew-run.ts", import.meta.url));

function crewOf(size: number): Crew {
  const crew = startCrew(size);
  onTestFinished(async () => await crew.close());
  return crew;
}

function task(projectDir: string, name: string): CompressTask {
  const entries = [{ name, path: name, kind: "file" as const }];
  return { projectDir, entries, level: 1, smallBytes: 1000 };
}

test("every piece of work gets its own result, however many there are", async () => {
  const root = await scratch();
  const names = Array.from({ length: 20 }, (_, i) => `f${i}`);
  await plant(root, Object.fromEntries(names.map((name) => [name, name])));
  const crew = crewOf(2);
  const results = await Promise.all(names.map((name) => crew.work("compress", task(root, name))));
  expect(results.map(({ members }) => members[0]?.member.name)).toEqual(names);
});

test("work that throws is refused, and the worker goes on", async () => {
  const root = await scratch();
  await plant(root, { a: "a" });
  const crew = crewOf(1);
  const failed = crew.work("compress", task(join(root, "none"), "a"));
  await expect(failed).rejects.toMatchObject({ code: "ENOENT" });
  expect((await crew.work("compress", task(root, "a"))).members).toHaveLength(1);
});

test("closing refuses what has not begun", async () => {
  const root = await scratch();
  const crew = startCrew(1);
  const pieces = [1, 2, 3].map(() => crew.work("compress", task(root, "a")));
  const outcomes = Promise.allSettled(pieces);
  await crew.close();
  expect((await outcomes).map(({ status }) => status)).toEqual([
    "rejected",
    "rejected",
    "rejected",
  ]);
});

test("workers start from TypeScript", async () => {
  const root = await scratch();
  await plant(root, { a: "text" });
  const printed = execFileSync(process.execPath, ["--import", "tsx", program, root]);
  expect(printed.toString()).toBe('[["a",4],["b","text"]]');
});

test.each([true, false])(
  "workers start from a minified bundle (keepNames %s)",
  async (keepNames) => {
    const root = await scratch();
    await plant(root, { a: "text" });
    const outfile = join(root, "bundle.mjs");
    const form = {
      bundle: true,
      minify: true,
      platform: "node",
      format: "esm",
      keepNames,
    } as const;
    buildSync({ entryPoints: [program], outfile, target: "node20", ...form });
    expect(execFileSync(process.execPath, [outfile, root]).toString()).toBe(
      '[["a",4],["b","text"]]',
    );
  },
);
