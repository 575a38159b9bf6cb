import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readSystemId } from "../../src/gitlab/system-id.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "burst-system-id-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const accepted = /^[sr]_[0-9a-zA-Z]{12}$/;
const noMachineId = { machineIdFiles: [] };

test("an id is made once and used again, from a file that only its owner reads", async () => {
  const file = join(folder(), "deep", ".burst", "system_id");
  const first = await readSystemId(file, noMachineId);
  expect(first).toMatch(/^r_/);
  expect(first).toMatch(accepted);
  expect(await readSystemId(file, noMachineId)).toBe(first);
  expect(readFileSync(file, "utf8")).toBe(`${first}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a machine with an id of its own gives the same id again when the file is lost", async () => {
  const place = folder();
  const machineId = join(place, "machine-id");
  writeFileSync(machineId, `${"0123456789abcdef".repeat(2)}\n`);
  const options = { machineIdFiles: [join(place, "missing"), machineId] };
  const file = join(place, "system_id");
  const first = await readSystemId(file, options);
  rmSync(file);
  expect(first).toMatch(/^s_[0-9a-f]{12}$/);
  expect(await readSystemId(file, options)).toBe(first);
  expect(await readSystemId(join(place, "other"), options)).not.toBe(first);
});

test("a machine id that is not one is not used", async () => {
  const place = folder();
  writeFileSync(join(place, "machine-id"), "uninitialized\n");
  const options = { machineIdFiles: [join(place, "machine-id")] };
  expect(await readSystemId(join(place, "id"), options)).toMatch(/^r_/);
});

test("of many that begin at once, all get the same id and no draft is left", async () => {
  const place = folder();
  const file = join(place, "system_id");
  const ids = await Promise.all(Array.from({ length: 20 }, () => readSystemId(file, noMachineId)));
  expect(new Set(ids).size).toBe(1);
  expect(readdirSync(place)).toEqual(["system_id"]);
});

test("a file that holds something else is named, and left as it is", async () => {
  const file = join(folder(), "system_id");
  writeFileSync(file, "s_short\n");
  await expect(readSystemId(file)).rejects.toThrow(`${file} holds no system id`);
  expect(readFileSync(file, "utf8")).toBe("s_short\n");
});

test("a place that cannot be written is said in one sentence", async () => {
  const place = folder();
  writeFileSync(join(place, "file"), "");
  await expect(readSystemId(join(place, "file", "system_id"))).rejects.toThrow(
    /system id cannot be/,
  );
});
