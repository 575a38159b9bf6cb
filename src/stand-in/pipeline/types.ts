// What the pipeline compiler takes and gives. The parts of a job's payload are already in the shape
// of the wire (snake_case, GitLab's names); the server adds only what it alone knows.

export interface PipelineInput {
  /** The text of the pipeline file. */
  readonly yaml: string;
  /** Its name, for messages. */
  readonly file: string;
  readonly ref: { readonly name: string; readonly kind: "branch" | "tag" };
  /**
   * Variables known before the file is read: predefined ones, the project's, those of the trigger.
   * Rules see them before the file's own. CI_COMMIT_REF_PROTECTED decides the ends of cache keys.
   */
  readonly variables: Readonly<Record<string, string>>;
  /** Reads another file of the same commit, for `include: local`; undefined when there is none. */
  readonly readFile?: (path: string) => string | undefined;
}

export interface PipelineMistake {
  /** First line is 1. */
  readonly line: number;
  readonly keyword: string;
  /** A whole sentence; starts with the file's name when that is not the main file. */
  readonly message: string;
}

export type CompiledPipeline =
  | {
      readonly kind: "pipeline";
      /** Only the stages that have jobs, in order. */
      readonly stages: readonly string[];
      /** In the order of the file; the parts of a parallel job follow one another. */
      readonly jobs: readonly CompiledJob[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly errors: readonly PipelineMistake[] };

export type JobWhen = "on_success" | "on_failure" | "always" | "manual";

export interface CompiledJob {
  readonly name: string;
  readonly stage: string;
  readonly when: JobWhen;
  readonly allowFailure: boolean | { readonly exitCodes: readonly number[] };
  readonly retry: CompiledRetry;
  /** Undefined: the project's default. */
  readonly timeoutSeconds: number | undefined;
  readonly tags: readonly string[];
  /** Undefined: wait for all earlier stages. Names are those of compiled jobs, parallel parts spelt out. */
  readonly needs: readonly CompiledNeed[] | undefined;
  /** Undefined: artifacts of all jobs of earlier stages, or of `needs` where that is given. */
  readonly dependencies: readonly string[] | undefined;
  readonly parallel?: { readonly index: number; readonly total: number };
  readonly payload: JobPayload;
}

export interface CompiledRetry {
  readonly max: number;
  /** GitLab's reasons; `["always"]` when nothing is said, none when only exit codes are. */
  readonly when: readonly string[];
  readonly exitCodes: readonly number[];
}

export interface CompiledNeed {
  readonly job: string;
  readonly artifacts: boolean;
  readonly optional: boolean;
}

/** The parts of the payload that the pipeline file decides. */
export interface JobPayload {
  /** Those of the file (workflow, top level, job, matrix, rule), each key once, not expanded. */
  readonly variables: readonly WireVariable[];
  readonly steps: readonly WireStep[];
  readonly hooks: readonly WireHook[];
  readonly image: WireImage | null;
  readonly services: readonly WireService[] | null;
  readonly artifacts: readonly WireArtifact[] | null;
  readonly cache: readonly WireCache[] | null;
}

export interface WireVariable {
  readonly key: string;
  readonly value: string;
  readonly public: boolean;
  readonly masked: boolean;
  readonly file: boolean;
  readonly raw: boolean;
}

export interface WireStep {
  readonly name: "script" | "after_script";
  readonly script: readonly string[];
  /** Seconds; 0 when the job has no timeout of its own: the server writes its own there. */
  readonly timeout: number;
  readonly when: "on_success" | "always";
  readonly allow_failure: boolean;
}

export interface WireHook {
  readonly name: "pre_get_sources_script" | "post_get_sources_script";
  readonly script: readonly string[];
}

export interface WireImage {
  readonly name: string;
  readonly entrypoint: readonly string[] | null;
  readonly ports: readonly [];
  readonly executor_opts: WireExecutorOptions;
  readonly pull_policy: readonly string[];
}

export interface WireExecutorOptions {
  readonly docker?: { readonly platform?: string; readonly user?: string };
  readonly kubernetes?: { readonly user?: string };
}

export interface WireService extends WireImage {
  readonly alias: string | null;
  readonly command: readonly string[] | null;
  readonly variables: readonly WireVariable[];
}

export interface WireArtifact {
  readonly name: string | null;
  readonly untracked: boolean;
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly when: "on_success" | "on_failure" | "always";
  readonly expire_in: string | null;
  readonly artifact_type: string;
  readonly artifact_format: "zip" | "gzip" | "raw";
}

export interface WireCache {
  readonly key: string;
  readonly untracked: boolean;
  /** pull-push, pull or push; may hold a variable. */
  readonly policy: string;
  readonly paths: readonly string[];
  readonly when: "on_success" | "on_failure" | "always";
  readonly fallback_keys: readonly string[];
}
