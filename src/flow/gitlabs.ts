// GitLab as our functions reach it: a client for each address, runner and token, kept while the process lives, so that
// the next invocation finds its connections open.

import { Secret } from "../core/secret.ts";
import { createGitLabClient } from "../gitlab/client.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { Timeouts } from "../gitlab/connections.ts";
import { credentialsKey } from "../gitlab/health.ts";
import { runnerInfo } from "../gitlab/info.ts";

export interface GitLabPlace {
  readonly url: string;
  readonly systemId: string;
  /** The runner's; not needed for what is told about a job. */
  readonly token?: Secret | undefined;
  /** `tls_ca_certificate`; empty: none. */
  readonly ca?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface GitLabs {
  /** Throws SettingsError for an address, certificate or token that can never work. */
  at(place: GitLabPlace): GitLabClient;
  close(): Promise<void>;
}

/**
 * GitLab holds a request for a job for less than a minute: what is silent for longer has been lost, and with it
 * the job that it may have brought.
 */
const callTimeouts: Partial<Timeouts> = { totalSeconds: 110, responseHeaderSeconds: 100 };

export function createGitLabs(options: {
  readonly version: string;
  readonly timeouts?: Partial<Timeouts>;
  /** A retry that GitLab wants later than this is left to the caller: no function sleeps for long. */
  readonly longestRetryWaitSeconds?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}): GitLabs {
  const clients = new Map<string, GitLabClient>();
  return {
    at(place) {
      const { url, systemId, token, ca = "", labels = {} } = place;
      const credentials = credentialsKey(url, token ?? new Secret(""));
      const key = JSON.stringify([credentials, systemId, ca, labels]);
      let client = clients.get(key);
      if (client === undefined) {
        client = createGitLabClient({
          url,
          token,
          systemId,
          info: runnerInfo({ version: options.version, executor: "fargate", shell: "sh", labels }),
          ...(ca === "" ? {} : { ca }),
          ...(options.env === undefined ? {} : { env: options.env }),
          timeouts: { ...callTimeouts, ...options.timeouts },
          longestRetryWaitSeconds: options.longestRetryWaitSeconds ?? 10,
        });
        clients.set(key, client);
      }
      return client;
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
      clients.clear();
    },
  };
}
