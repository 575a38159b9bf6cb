// The shell program of one stage: exports, then the job's lines, each shown before it runs, all in one
// eval. Runs in busybox ash, dash and bash; its exit status is the script's.

import type { FeatureFlags } from "./feature-flags.ts";
import type { BoolReading } from "./go-bool.ts";
import type { Step } from "./job.ts";
import { commandLines, noticeLine } from "./script-commands.ts";
import type { CommandStyle } from "./script-commands.ts";
import { exportLines } from "./script-exports.ts";
import { shellQuote } from "./shell-quote.ts";
import type { JobVariables } from "./variables.ts";

/** Which lines these are; names their log sections. */
export type ScriptKind = "script" | "after_script" | "pre_get_sources" | "post_get_sources";

export interface StageScript {
  readonly kind: ScriptKind;
  /** The entries as GitLab sent them: `stepCommands(step, …)`, or a hook's script. */
  readonly commands: readonly string[];
  /** `JobVariables.environment()`. */
  readonly exports: ReadonlyMap<string, string>;
  /** Where to begin; undefined before there is a project directory (pre_get_sources). */
  readonly projectDir?: string | undefined;
  readonly tempDir: string;
  /** From the runner's settings, around the script; not for after_script and hooks. */
  readonly preBuildScript?: string | undefined;
  readonly postBuildScript?: string | undefined;
  /** Show every command as the shell runs it (CI_DEBUG_TRACE). */
  readonly shellTrace: boolean;
  readonly featureFlags: FeatureFlags;
  /** `features.trace_sections` of the payload. */
  readonly traceSections: boolean;
  /** For the time stamps of sections, which hide their duration. */
  readonly nowUnixSeconds: number;
}

const sectionPrefixes: Readonly<Record<ScriptKind, string>> = {
  script: "script_step",
  after_script: "after_script_step",
  pre_get_sources: "pre_clone_script",
  post_get_sources: "post_clone_script",
};

/**
 * The subshell takes TERM as it comes: with a trap, a shell that is about to start a command would first
 * wait for it to end. The eval's text lies in a variable, because bash reports a child that was killed
 * together with its command, and that must not spill the exports into the log.
 */
export function stageScript(stage: StageScript): string {
  return [
    "trap 'exit 1' TERM",
    "if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi",
    "set -o errexit",
    "set +o noclobber",
    `burst_stage=${shellQuote(stageBody(stage))}`,
    '(eval "$burst_stage") </dev/null',
    "exit $?",
    "",
  ].join("\n");
}

function stageBody(stage: StageScript): string {
  const style: CommandStyle = {
    sections: stage.featureFlags.FF_SCRIPT_SECTIONS && stage.traceSections,
    exitChecks: stage.featureFlags.FF_ENABLE_BASH_EXIT_CODE_CHECK,
    nowUnixSeconds: stage.nowUnixSeconds,
  };
  const around = (prefix: string, script: string | undefined) =>
    script === undefined || script === "" || stage.kind !== "script"
      ? []
      : commandLines([script], prefix, style);
  return [
    "unset burst_stage",
    ...(stage.shellTrace ? ["set -o xtrace"] : []),
    ...exportLines(stage.exports, stage.tempDir),
    ...(stage.projectDir === undefined ? [] : [`cd ${shellQuote(stage.projectDir)}`]),
    ...(stage.kind === "after_script" ? [noticeLine("Running after script...")] : []),
    ...around("pre_build_script", stage.preBuildScript),
    ...commandLines(stage.commands, sectionPrefixes[stage.kind], style),
    ...around("post_build_script", stage.postBuildScript),
    "",
  ].join("\n");
}

/** A step's entries. A release step's are commands of GitLab's making, whose variables we put in. */
export function stepCommands(step: Step, variables: JobVariables): readonly string[] {
  if (step.name !== "release") return step.script;
  return step.script.map((entry) => variables.expand(entry));
}

/** Whether CI_DEBUG_TRACE asks for a trace of the shell, and may. */
export function debugTrace(variables: JobVariables, disabledBySettings: boolean): BoolReading {
  const asked = variables.bool("CI_DEBUG_TRACE", false);
  if (!asked.value || !disabledBySettings) return asked;
  return {
    value: false,
    warning: "CI_DEBUG_TRACE is switched off in this runner's settings (debug_trace_disabled)",
  };
}
