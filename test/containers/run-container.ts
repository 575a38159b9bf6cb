// One command in one container, and what came of it.

import type { ContainerCreateOptions } from "dockerode";
import { connectEngine } from "../../src/local/docker/engine.ts";
import type { Engine } from "../../src/local/docker/engine.ts";

export interface ContainerRun {
  readonly status: number;
  /** stdout and stderr as they came. */
  readonly output: string;
}

export function testEngine(): Promise<Engine> {
  return connectEngine(process.env);
}

/** Throws what the engine says when the container cannot be started. */
export async function runContainer(
  image: string,
  command?: readonly string[],
  options: ContainerCreateOptions = {},
): Promise<ContainerRun> {
  const engine = await testEngine();
  const container = await engine.createContainer({
    Image: image,
    ...(command === undefined ? {} : { Cmd: [...command] }),
    Tty: true,
    ...options,
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { readonly StatusCode: number };
    const log = await container.logs({ stdout: true, stderr: true });
    return { status: StatusCode, output: log.toString("utf8").replaceAll("\r\n", "\n") };
  } finally {
    await container.remove({ force: true, v: true });
  }
}
