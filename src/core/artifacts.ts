// Which of a job's artifacts are uploaded after how its script ended and under what name, and which artifacts
// of earlier jobs it gets.

import type { ArtifactSpec, Dependency } from "./job.ts";
import type { JobVariables } from "./variables.ts";

export type ArtifactFormat = "zip" | "gzip" | "raw";
export type CompressionLevel = "fastest" | "fast" | "default" | "slow" | "slowest";

/** The entries to upload after how the script ended, and that name anything to upload. */
export function artifactsToUpload(
  artifacts: readonly ArtifactSpec[],
  scriptSucceeded: boolean,
): readonly ArtifactSpec[] {
  return artifacts.filter(
    (spec) => wanted(spec, scriptSucceeded) && (spec.paths.length > 0 || spec.untracked),
  );
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
