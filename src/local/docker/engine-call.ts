// Calls to the engine that its client library makes in a way we cannot use: a container's whole specification in the
// request's address, secrets included, and errors with the library's words before the engine's.

import type { Container, ContainerCreateOptions } from "dockerode";
import type { Engine } from "./engine.ts";

/** The library puts all options into the address and the body alike, unless it is told which goes where. */
export async function createContainer(
  engine: Engine,
  spec: ContainerCreateOptions,
): Promise<Container> {
  const { name, platform, ...body } = spec;
  const where = {
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
  };
  return await engine.createContainer({ _query: where, _body: body } as ContainerCreateOptions);
}

/** What the engine said. */
export function engineText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ("json" in cause && typeof cause.json === "object" && cause.json !== null) {
    const { json } = cause;
    if ("message" in json && typeof json.message === "string") return json.message.trim();
  }
  return cause.message.replace(/^\(HTTP code \d+\) [^-]*- /, "").trim();
}
