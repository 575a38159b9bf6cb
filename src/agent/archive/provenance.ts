// The statement that RUNNER_GENERATE_ARTIFACTS_METADATA asks for: which files an archive holds (in-toto v0.1), and how
// they were made (SLSA provenance v1). Of the job's variables it has the names only.

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as zlib from "node:zlib";
import type { Job } from "../../core/job.ts";
import { openProjectFile } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { SelectedEntry } from "./select-files.ts";

export interface ProvenanceInput {
  readonly job: Job;
  readonly projectDir: string;
  readonly entries: readonly SelectedEntry[];
  readonly runner: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly architecture: string;
    readonly executor: string;
  };
  /** RFC 3339. */
  readonly startedOn: string;
  readonly finishedOn: string;
  readonly signal: AbortSignal;
}

export async function provenanceStatement(input: ProvenanceInput): Promise<string> {
  const { job, runner } = input;
  const source = withoutCredentials(job.git_info.repo_url.reveal());
  const parameters = Object.fromEntries(job.variables.map(({ key }) => [key, ""]));
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v1",
    subject: await subjects(input),
    predicate: {
      buildDefinition: {
        buildType: "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/PROVENANCE.md",
        externalParameters: { ...parameters, entryPoint: job.job_info.name, source },
        internalParameters: {
          architecture: runner.architecture,
          executor: runner.executor,
          job: String(job.id),
          name: runner.name,
        },
        resolvedDependencies: [{ uri: source, digest: { gitCommit: job.git_info.sha } }],
      },
      runDetails: {
        builder: {
          id: `${source}/-/runners/${runner.id}`,
          version: { "gitlab-burst": runner.version },
        },
        metadata: {
          invocationId: String(job.id),
          startedOn: input.startedOn,
          finishedOn: input.finishedOn,
        },
      },
    },
  };
  return `${JSON.stringify(statement, undefined, 1)}\n`;
}

async function subjects(input: ProvenanceInput): Promise<unknown[]> {
  const tree = projectTree({ fs, zlib }, input.projectDir);
  const found: unknown[] = [];
  try {
    for (const { name, path, kind } of input.entries) {
      input.signal.throwIfAborted();
      const opened = kind === "file" ? await openProjectFile(tree, path) : undefined;
      if (opened?.kind !== "open") continue;
      const hash = createHash("sha256");
      for await (const chunk of opened.handle.createReadStream()) hash.update(chunk);
      found.push({ name, digest: { sha256: hash.digest("hex") } });
    }
    return found;
  } finally {
    tree.close();
  }
}

/** `https://user:token@host/group/project.git` -> `https://host/group/project` */
function withoutCredentials(repoUrl: string): string {
  return repoUrl.replace(/^([a-z+]+:\/\/)[^/]*@/i, "$1").replace(/\.git$/, "");
}
