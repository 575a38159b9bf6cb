// Which of a job's artifacts are uploaded after how its script ended, under what name and in what format,
// and which artifacts of earlier jobs it gets.

import type { ArtifactSpec, Dependency } from "./job.ts";
import { selectPaths } from "./project-path.ts";
import type { JobVariables } from "./variables.ts";

export type ArtifactFormat = "zip" | "gzip" | "raw";
export type CompressionLevel = "fastest" | "fast" | "default" | "slow" | "slowest";

/** One request to GitLab. */
export interface UploadPlan {
  /** What the file is called there. */
  readonly fileName: string;
  readonly format: ArtifactFormat;
  /** `artifact_type` and `artifact_format` as GitLab wants them back; "" = do not send. */
  readonly artifactType: string;
  readonly artifactFormat: string;
  readonly expireIn: string;
  /** Globs relative to the project, links not to be followed out of it. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Also whatever git does not track. */
  readonly untracked: boolean;
}

export interface UploadDecision {
  readonly uploads: readonly UploadPlan[];
  readonly warnings: readonly string[];
  /** Entries that cannot be uploaded at all: the stage fails. */
  readonly failures: readonly string[];
}

export interface ArtifactsInput {
  readonly artifacts: readonly ArtifactSpec[];
  readonly scriptSucceeded: boolean;
  readonly variables: JobVariables;
  readonly projectDir: string;
}

/** The entries to upload after how the script ended, and that name anything to upload. */
export function artifactsToUpload(
  artifacts: readonly ArtifactSpec[],
  scriptSucceeded: boolean,
): readonly ArtifactSpec[] {
  return artifacts.filter(
    (spec) => wanted(spec, scriptSucceeded) && (spec.paths.length > 0 || spec.untracked),
  );
}

export function planUploads(input: ArtifactsInput): UploadDecision {
  const uploads: UploadPlan[] = [];
  const warnings: string[] = [];
  const failures: string[] = [];
  const { expand } = input.variables;
  for (const spec of artifactsToUpload(input.artifacts, input.scriptSucceeded)) {
    const format = formatOf(spec.artifact_format);
    const paths = selectPaths(spec.paths.map(expand), input.projectDir);
    const exclude = selectPaths(spec.exclude.map(expand), input.projectDir);
    warnings.push(...paths.warnings, ...exclude.warnings);
    if (format === undefined) {
      failures.push(
        `The artifact format ${JSON.stringify(spec.artifact_format)} is not known here; zip, gzip and raw are`,
      );
      continue;
    }
    uploads.push({
      fileName: artifactFileName(spec.name, expand, format),
      format,
      artifactType: spec.artifact_type,
      artifactFormat: spec.artifact_format,
      expireIn: expand(spec.expire_in),
      paths: paths.paths,
      exclude: exclude.paths,
      untracked: spec.untracked,
    });
  }
  return { uploads, warnings, failures };
}

const extensions: Readonly<Record<ArtifactFormat, string>> = { zip: ".zip", gzip: ".gz", raw: "" };

/** No name gives `artifacts`; a name of which nothing is left gives `default`. */
export function artifactFileName(
  name: string,
  expand: (text: string) => string,
  format: ArtifactFormat,
): string {
  const expanded = name === "" ? "artifacts" : expand(name);
  const base = expanded.replace(/\/+$/, "").split("/").pop() ?? "";
  const usable = base === "" || base === "." || base === ".." ? "default" : base;
  return `${usable}${extensions[format]}`;
}

export interface CompressionReading {
  readonly level: CompressionLevel;
  readonly warning?: string;
}

/** ARTIFACT_COMPRESSION_LEVEL, CACHE_COMPRESSION_LEVEL. */
export function compressionLevel(variables: JobVariables, name: string): CompressionReading {
  const text = variables.get(name).toLowerCase();
  const level = compressionLevels.find((candidate) => candidate === text);
  if (level !== undefined) return { level };
  if (text === "") return { level: "default" };
  return {
    level: "default",
    warning: `${name} must be one of ${compressionLevels.join(", ")}; using default`,
  };
}

const compressionLevels: readonly CompressionLevel[] = [
  "fastest",
  "fast",
  "default",
  "slow",
  "slowest",
];

/** The dependencies that have something to download. */
export function artifactDownloads(dependencies: readonly Dependency[]): readonly Dependency[] {
  return dependencies.filter((dependency) => (dependency.artifacts_file?.filename ?? "") !== "");
}

function wanted(spec: ArtifactSpec, scriptSucceeded: boolean): boolean {
  return spec.when === "always" || spec.when === (scriptSucceeded ? "on_success" : "on_failure");
}

function formatOf(text: string): ArtifactFormat | undefined {
  if (text === "") return "zip";
  return text === "zip" || text === "gzip" || text === "raw" ? text : undefined;
}
