// The client of GitLab's runner API for one URL and one runner token. Expected outcomes are values;
// it throws SettingsError for what was configured wrongly, and nothing else of its own.

import { setMaxListeners } from "node:events";
import { SettingsError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { apiUrl } from "./base-url.ts";
import { type Timeouts, defaultTimeouts, openConnections } from "./connections.ts";
import {
  type ArtifactDownload,
  downloadArtifact,
  type DownloadReply,
} from "./download-artifact.ts";
import type { RunnerInfo } from "./info.ts";
import { patchTrace, type PatchReply, type TracePatch } from "./patch-trace.ts";
import { type Environment, proxyFor } from "./proxy.ts";
import { type JobReply, type JobRequest, requestJob } from "./request-job.ts";
import {
  createRunner,
  type RegisterReply,
  registerRunner,
  type RunnerAttributes,
  type RunnerScope,
} from "./register-runner.ts";
import { resetToken, resetTokenOf, type ResetTokenReply } from "./reset-token.ts";
import type { Session } from "./session.ts";
import { sleepFor } from "./sleep.ts";
import { createTransport } from "./transport.ts";
import { readTrust, type TlsOptions } from "./trust.ts";
import {
  unregister,
  unregisterManager,
  unregisterRunner,
  type UnregisterReply,
} from "./unregister-runner.ts";
import { type JobUpdate, updateJob, type UpdateReply } from "./update-job.ts";
import { type ArtifactUpload, uploadArtifact, type UploadReply } from "./upload-artifact.ts";
import { verifyRunner, type VerifyReply } from "./verify-runner.ts";

export interface GitLabClientOptions extends TlsOptions {
  /** As a person configures it: `https://gitlab.example.com`. */
  readonly url: string;
  /** The runner's token; not needed for jobs' calls, nor to register. */
  readonly token?: Secret | undefined;
  readonly systemId: string;
  readonly info: RunnerInfo;
  /** Where proxies are looked up; this process's environment by default. */
  readonly env?: Environment;
  readonly timeouts?: Partial<Timeouts>;
  /** An HTTP-level retry that GitLab wants later than this is not waited for. */
  readonly longestRetryWaitSeconds?: number;
  /** Resolves early when the signal aborts. */
  readonly sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly random?: () => number;
  readonly now?: () => number;
}

export interface GitLabClient {
  requestJob(request?: JobRequest): Promise<JobReply>;
  updateJob(update: JobUpdate): Promise<UpdateReply>;
  patchTrace(patch: TracePatch): Promise<PatchReply>;
  uploadArtifact(upload: ArtifactUpload): Promise<UploadReply>;
  downloadArtifact(download: ArtifactDownload): Promise<DownloadReply>;
  verifyRunner(): Promise<VerifyReply>;
  registerRunner(token: Secret, attributes?: RunnerAttributes): Promise<RegisterReply>;
  createRunner(
    accessToken: Secret,
    scope: RunnerScope,
    attributes?: RunnerAttributes,
  ): Promise<RegisterReply>;
  /** The right one of the two below, by the kind of token. */
  unregister(): Promise<UnregisterReply>;
  unregisterRunner(): Promise<UnregisterReply>;
  unregisterManager(): Promise<UnregisterReply>;
  resetToken(): Promise<ResetTokenReply>;
  resetTokenOf(runnerId: number, accessToken: Secret): Promise<ResetTokenReply>;
  /** Ends every connection, request and wait; later calls get no answer. */
  close(): Promise<void>;
}

export function createGitLabClient(options: GitLabClientOptions): GitLabClient {
  const { session, close } = openSession(options);
  return {
    requestJob: (request) => requestJob(session, request),
    updateJob: (update) => updateJob(session, update),
    patchTrace: (patch) => patchTrace(session, patch),
    uploadArtifact: (upload) => uploadArtifact(session, upload),
    downloadArtifact: (download) => downloadArtifact(session, download),
    verifyRunner: () => verifyRunner(session),
    registerRunner: (token, attributes) => registerRunner(session, token, attributes),
    createRunner: (accessToken, scope, attributes) =>
      createRunner(session, accessToken, scope, attributes),
    unregister: () => unregister(session),
    unregisterRunner: () => unregisterRunner(session),
    unregisterManager: () => unregisterManager(session),
    resetToken: () => resetToken(session),
    resetTokenOf: (runnerId, accessToken) => resetTokenOf(session, runnerId, accessToken),
    close,
  };
}

function openSession(options: GitLabClientOptions): {
  readonly session: Session;
  readonly close: () => Promise<void>;
} {
  const api = apiUrl(options.url);
  const env = options.env ?? process.env;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const sleep = options.sleep ?? sleepFor;
  const random = options.random ?? Math.random;
  checkToken(options.token);
  // A proxy variable that is wrong is told now, not by every call.
  proxyFor(api, env);
  const connections = openConnections({
    gitlab: api,
    trust: readTrust(options, env),
    timeouts,
    env,
  });
  const closing = new AbortController();
  // Every request listens to it, and there may be any number at once.
  setMaxListeners(0, closing.signal);
  const transport = createTransport({
    connections,
    timeouts,
    userAgent: userAgent(options.info),
    closed: closing.signal,
    sleep,
    random,
    now: options.now ?? Date.now,
    longestRetryWaitSeconds: options.longestRetryWaitSeconds ?? timeouts.totalSeconds,
  });
  const { info, systemId, token } = options;
  const session: Session = {
    api,
    transport,
    info,
    systemId,
    token,
    sleep: (milliseconds, signal) =>
      sleep(
        milliseconds,
        signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]),
      ),
    lastUpdate: undefined,
  };
  return {
    session,
    async close() {
      closing.abort();
      await connections.close();
    },
  };
}

/** A line break or blank in a token comes from copying; in a header it would be a broken request. */
function checkToken(token: Secret | undefined): void {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token.reveal())) return;
  throw new SettingsError(
    token.isEmpty
      ? "The runner's token is empty: take it from the runner's page in GitLab (glrt-…)."
      : "The runner's token holds a blank, a line break or another character that tokens never have: copy it again.",
  );
}

function userAgent(info: RunnerInfo): string {
  const { name, version, platform, architecture } = info;
  return `${name} ${version} (node ${process.versions.node}; ${platform}/${architecture})`;
}
