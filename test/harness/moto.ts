// moto_server: AWS's interfaces on this machine, independent of us. Found on the path or as a module of python3, else
// put into a virtual environment of its own by pip, once.

import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Moto {
  /** `http://localhost:PORT`: CloudFormation in it does not know itself by another name. */
  readonly url: string;
  /** What a process needs to find it: an address, a region, keys that mean nothing. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The version that the tests were written for. */
const motoPackage = "moto[server]==5.2.1";
const folder = join(homedir(), ".cache", "gitlab-burst", "moto");

type Command = readonly [program: string, ...args: string[]];

let found: Promise<Command> | undefined;

export async function startMoto(): Promise<Moto> {
  found ??= findMoto();
  const [program, ...args] = await found;
  const port = await freePort();
  const child = spawn(program, [...args, "-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  // Python answers on one family of addresses only; the name stands for both.
  const url = `http://localhost:${port}`;
  await untilUp(child, url, () => said);
  return {
    url,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "testing",
      AWS_SECRET_ACCESS_KEY: "testing",
    },
    close: () => stop(child),
  };
}

async function findMoto(): Promise<Command> {
  const environment = join(folder, "bin", "moto_server");
  const candidates: readonly Command[] = [
    ["moto_server"],
    ["python3", "-m", "moto.server"],
    [environment],
  ];
  for (const candidate of candidates) if (await works(candidate)) return candidate;
  await install();
  if (await works([environment])) return [environment];
  throw new Error(`${environment} was installed, and does not run`);
}

/** A python that has what moto is made with: botocore, and in it the models of AWS's own interfaces. */
export async function motoPython(): Promise<string> {
  const own = join(folder, "bin", "python");
  const hasModels = (program: string) =>
    run(program, ["-c", "import botocore"]).then(
      () => true,
      () => false,
    );
  for (const program of ["python3", own]) if (await hasModels(program)) return program;
  await install();
  return own;
}

async function install(): Promise<void> {
  try {
    if (!existsSync(join(folder, "bin", "pip"))) await run("python3", ["-m", "venv", folder]);
    await run(join(folder, "bin", "pip"), ["install", "--quiet", motoPackage], {
      timeout: 180_000,
    });
  } catch (cause) {
    throw new Error(
      `These tests need moto_server, which is neither installed nor could be: ` +
        `python3 with venv and pip would do, or \`pip install '${motoPackage}'\``,
      { cause },
    );
  }
}

async function works([program, ...args]: Command): Promise<boolean> {
  try {
    await run(program, [...args, "--help"], { timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function untilUp(child: ChildProcess, url: string, said: () => string): Promise<void> {
  for (let tried = 0; tried < 600; tried += 1) {
    if (child.exitCode !== null) throw new Error(`moto_server has ended: ${said()}`);
    try {
      if ((await fetch(`${url}/moto-api/`)).ok) return;
    } catch {
      // Not yet.
    }
    await sleep(100);
  }
  await stop(child);
  throw new Error(`moto_server does not answer on ${url}: ${said()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
