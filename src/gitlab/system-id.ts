// The id of this machine's runner manager, `[sr]_` and 12 letters or digits. GitLab counts managers by
// it and limits new ones, so it is made once, kept in a file, and survives the file's loss where the
// machine has an id of its own.

import { createHmac, randomBytes, randomInt } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SettingsError } from "../core/errors.ts";

export interface SystemIdOptions {
  /** Where the machine's own id is looked for. */
  readonly machineIdFiles?: readonly string[];
}

const pattern = /^[sr]_[0-9a-zA-Z]{12}$/;
const defaultMachineIdFiles = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/** Reads the id in `file`, e.g. `.burst/system_id`, or makes it. */
export async function readSystemId(file: string, options: SystemIdOptions = {}): Promise<string> {
  const known = await readKnown(file);
  if (known !== undefined) return known;
  const made = await makeId(resolve(file), options.machineIdFiles ?? defaultMachineIdFiles);
  try {
    await mkdir(dirname(file), { recursive: true });
    await createWhole(file, `${made}\n`);
  } catch (cause) {
    throw new SettingsError(`The runner's system id cannot be kept in ${file}: ${reason(cause)}.`, {
      cause,
    });
  }
  // Another process may have been faster; its id counts.
  return (await readKnown(file)) ?? made;
}

async function readKnown(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new SettingsError(`The runner's system id cannot be read: ${reason(cause)}.`, { cause });
  }
  if (pattern.test(text)) return text;
  throw new SettingsError(
    `${file} holds no system id: it should be s_ or r_ and 12 letters or digits. Remove the file and a new one is made.`,
  );
}

/** Never half a file: written beside it, then linked into place, which fails if it exists. */
async function createWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(draft, text, { flag: "wx", mode: 0o600 });
    await link(draft, file);
  } catch (cause) {
    if (!hasCode(cause, "EEXIST")) throw cause;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The file's place is part of it: two runners on one machine are two managers. */
async function makeId(place: string, machineIdFiles: readonly string[]): Promise<string> {
  for (const source of machineIdFiles) {
    const machineId = await readFile(source, "utf8").catch(() => "");
    if (!/^[0-9a-f]{32}$/.test(machineId.trim())) continue;
    const digest = createHmac("sha256", machineId.trim()).update(`gitlab-burst ${place}`);
    return `s_${digest.digest("hex").slice(0, 12)}`;
  }
  const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const letters = Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]);
  return `r_${letters.join("")}`;
}

function isMissing(error: unknown): boolean {
  return hasCode(error, "ENOENT");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
