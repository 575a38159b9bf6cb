// How a stand-in may be started.

import { BadOption } from "./bad-option.ts";
import type { RateLimits } from "./rate-limit.ts";
import type { StandInEvent } from "./world.ts";

export interface StandInOptions {
  /** Address to listen on. @default 127.0.0.1 */
  readonly listen?: string;
  /** @default 0, any free port */
  readonly port?: number;
  /** Folders; each becomes `root/<its name>`. */
  readonly projects?: readonly string[];
  /** @default a new one */
  readonly runnerToken?: string;
  /** Tags of the first runner. @default none */
  readonly runnerTags?: readonly string[];
  /** Lets runners register in GitLab's old way. @default undefined: 410 */
  readonly registrationToken?: string;
  /** How clients reach the stand-in. @default from the address and port it listens on */
  readonly publicUrl?: string;
  /** Host and port of a container registry jobs may use. @default none */
  readonly registry?: string;
  /** How long `/jobs/request` is held; 0 is never. @default 0 */
  readonly longPollSeconds?: number;
  /** @default 3600 */
  readonly jobTimeoutSeconds?: number;
  /** @default 100 MiB */
  readonly traceLimitBytes?: number;
  /** @default 100 MiB */
  readonly artifactLimitBytes?: number;
  /**
   * Refuse downloads to which a job token was carried along. The official runner's HTTP client does
   * carry it, and would try again without the redirect. @default true
   */
  readonly storageRefusesTokens?: boolean;
  /** How long a finished log takes to be stored; until then the final PUT is answered 202. @default 0 */
  readonly traceCommitDelaySeconds?: number;
  /** Ask for log updates every 3 s instead of every minute. @default false */
  readonly watched?: boolean;
  /** @default GitLab's own */
  readonly rateLimits?: Partial<RateLimits>;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  readonly onEvent?: (event: StandInEvent) => void;
}

/** The host that the public URL names; undefined when there is none. */
export function publicHost({ publicUrl }: StandInOptions): string | undefined {
  if (publicUrl === undefined) return undefined;
  if (!URL.canParse(publicUrl) || !/^https?:$/.test(new URL(publicUrl).protocol)) {
    throw new BadOption(`the public URL ${publicUrl} is not an http:// or https:// address`);
  }
  return new URL(publicUrl).hostname;
}
