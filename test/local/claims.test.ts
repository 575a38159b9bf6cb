import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openClaimBook } from "../../src/local/claims.ts";
import { processName } from "../../src/local/process-name.ts";
import { endedProcess, sleeper } from "./processes.ts";

function newBook() {
  const folder = join(mkdtempSync(join(tmpdir(), "burst-claims-")), "claims");
  onTestFinished(() => rmSync(join(folder, ".."), { recursive: true }));
  return { folder, book: openClaimBook(folder) };
}

/** As another runner would have written it. */
function write(folder: string, jobId: number, owners: readonly string[], slot = 0) {
  const claim = { owners, job_id: jobId, raw: `the job ${String(jobId)}`, slot };
  writeFileSync(join(folder, `${String(jobId)}.json`), JSON.stringify(claim));
}

test("a claim that is written down is there until it is released", async () => {
  const { folder, book } = newBook();
  await book.record({ jobId: 7, raw: "{}", slot: 2 });
  expect(readdirSync(folder)).toEqual(["7.json"]);
  expect(await book.slotsInUse()).toEqual(new Set([2]));
  await book.release(7);
  await book.release(7);
  expect(readdirSync(folder)).toEqual([]);
});

test("it holds a job's secrets: only our own user may read it", async () => {
  const { folder, book } = newBook();
  await book.record({ jobId: 7, raw: "{}", slot: 0 });
  expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
  expect((statSync(join(folder, "7.json")).mode & 0o777).toString(8)).toBe("600");
});

test("while its runner or its agent lives it is theirs", async () => {
  const { folder, book } = newBook();
  const agent = await sleeper();
  await book.record({ jobId: 1, raw: "{}", slot: 1 });
  write(folder, 2, [`${String(endedProcess())}@5`, await processName(agent.pid)], 2);
  expect(await book.abandoned()).toEqual([]);
  expect(await book.slotsInUse()).toEqual(new Set([1, 2]));
});

test("when both are gone it is anybody's, and its slot is free", async () => {
  const { folder, book } = newBook();
  await book.record({ jobId: 1, raw: "{}", slot: 0 });
  write(folder, 2, [`${String(endedProcess())}@5`], 3);
  expect(await book.abandoned()).toEqual([{ jobId: 2, raw: "the job 2" }]);
  expect(await book.slotsInUse()).toEqual(new Set([0]));
});

test("a process that has got the number of one that is gone is not taken for it", async () => {
  const { folder, book } = newBook();
  const other = await sleeper();
  await book.record({ jobId: 1, raw: "{}", slot: 0 });
  write(folder, 2, [`${String(other.pid)}@1`]);
  expect(await book.abandoned()).toEqual([{ jobId: 2, raw: "the job 2" }]);
});

test("what is no claim is passed over, and a book that nobody wrote in is empty", async () => {
  const { folder, book } = newBook();
  expect(await book.abandoned()).toEqual([]);
  await book.record({ jobId: 1, raw: "{}", slot: 0 });
  writeFileSync(join(folder, "2.json"), "torn");
  writeFileSync(join(folder, "notes.txt"), "not ours");
  expect(await book.abandoned()).toEqual([]);
});
