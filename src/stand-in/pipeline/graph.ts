// Who waits for whom: checks what `needs` and `dependencies` name, and spells out the parts of
// parallel jobs.

import type { JobDraft } from "./job.ts";
import type { Mistakes } from "./mistakes.ts";
import { nearest } from "./nearest.ts";
import type { DependencyDraft, NeedDraft } from "./needs.ts";
import type { CompiledNeed } from "./types.ts";

export interface Links {
  readonly needs: readonly CompiledNeed[] | undefined;
  readonly dependencies: readonly string[] | undefined;
}

const MOST_NEEDS = 50;

export class Graph {
  readonly #stages: readonly string[];
  readonly #mistakes: Mistakes;
  /** Every name that can be needed: those of jobs, and those of their parts. */
  readonly #byName = new Map<string, { readonly draft: JobDraft; readonly names: string[] }>();

  constructor(drafts: readonly JobDraft[], stages: readonly string[], mistakes: Mistakes) {
    this.#stages = stages;
    this.#mistakes = mistakes;
    for (const draft of drafts) {
      const names = draft.parts?.map((part) => part.name) ?? [draft.name];
      this.#byName.set(draft.name, { draft, names });
    }
    for (const draft of drafts) {
      for (const { name } of draft.parts ?? []) {
        const other = this.#byName.get(name);
        if (other) {
          const message = `parallel makes two jobs of the name "${name}".`;
          mistakes.report(draft.at, "parallel", message);
        }
        this.#byName.set(name, { draft, names: [name] });
      }
    }
    for (const draft of drafts) this.#checkCircle(draft);
  }

  linksOf(draft: JobDraft): Links {
    const needs = draft.needs && this.#needs(draft, draft.needs);
    const dependencies = draft.dependencies && this.#dependencies(draft, draft.dependencies);
    return { needs, dependencies };
  }

  #needs(draft: JobDraft, wanted: readonly NeedDraft[]): readonly CompiledNeed[] {
    const seen = new Set<string>();
    const needs = wanted.flatMap((need) => {
      const { artifacts, optional } = need;
      const names = this.#namesOf(draft, need, "needs", optional);
      return names.flatMap((job) => {
        if (seen.has(job)) {
          this.#mistakes.report(need.at, "needs", `needs names "${job}" more than once.`);
          return [];
        }
        seen.add(job);
        return [{ job, artifacts, optional }];
      });
    });
    if (needs.length > MOST_NEEDS) {
      const message = `"${draft.name}" needs ${needs.length} jobs; GitLab allows ${MOST_NEEDS}.`;
      this.#mistakes.report(draft.at, "needs", message);
    }
    return needs;
  }

  #dependencies(draft: JobDraft, wanted: readonly DependencyDraft[]): readonly string[] {
    return wanted.flatMap((dependency) => {
      const needed = draft.needs?.some((need) => need.job === dependency.job) ?? true;
      if (!needed && draft.needs?.length !== 0) {
        const message = `dependencies names "${dependency.job}", which needs does not; add it there.`;
        this.#mistakes.report(dependency.at, "dependencies", message);
      }
      return this.#namesOf(draft, dependency, "dependencies", false);
    });
  }

  #namesOf(
    draft: JobDraft,
    wanted: DependencyDraft & Partial<NeedDraft>,
    keyword: "needs" | "dependencies",
    optional: boolean,
  ): readonly string[] {
    const found = this.#byName.get(wanted.job);
    if (!found) {
      if (!optional) this.#reportUnknown(wanted, keyword);
      return [];
    }
    const isLater =
      this.#stages.indexOf(found.draft.stage) > this.#stages.indexOf(draft.stage) ||
      (keyword === "dependencies" && found.draft === draft);
    if (isLater) {
      const message = `${keyword} of "${draft.name}" (stage ${draft.stage}) names "${wanted.job}" of the later stage ${found.draft.stage}; only jobs of the same or earlier stages can be named.`;
      const itself = `dependencies of "${draft.name}" names the job itself.`;
      this.#mistakes.report(wanted.at, keyword, found.draft === draft ? itself : message);
    }
    return wanted.parts ? this.#chosenParts(wanted, wanted.parts, found.names) : found.names;
  }

  #chosenParts(
    wanted: DependencyDraft,
    parts: NonNullable<NeedDraft["parts"]>,
    names: readonly string[],
  ): readonly string[] {
    return parts.flatMap(({ name }) => {
      if (names.includes(name)) return [name];
      const message = `needs names "${name}", but the parts of "${wanted.job}" are: ${names.join(", ")}.`;
      this.#mistakes.report(wanted.at, "needs", message);
      return [];
    });
  }

  #reportUnknown(wanted: DependencyDraft, keyword: string): void {
    const guess = nearest(wanted.job, [...this.#byName.keys()]);
    const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
    const message = `${keyword} names "${wanted.job}", but there is no such job.${hint}`;
    this.#mistakes.report(wanted.at, keyword, message);
  }

  /** Reported at every job of the circle, with the way round. */
  #checkCircle(start: JobDraft): void {
    const visited = new Set<JobDraft>();
    const walk = (draft: JobDraft, way: readonly string[]): readonly string[] | undefined => {
      for (const need of draft.needs ?? []) {
        const next = this.#byName.get(need.job)?.draft;
        if (!next) continue;
        if (next === start) return [...way, start.name];
        if (visited.has(next)) continue;
        visited.add(next);
        const circle = walk(next, [...way, next.name]);
        if (circle) return circle;
      }
      return undefined;
    };
    const circle = walk(start, [start.name]);
    if (!circle) return;
    const message = `needs goes in a circle: ${circle.join(" needs ")}.`;
    this.#mistakes.report(start.at, "needs", message);
  }
}
