// A folder becomes the project `root/<its name>` with one commit on `main`.

import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { BadOption } from "./bad-option.ts";
import type { Project } from "./model.ts";
import { Repository } from "./repository.ts";
import type { World } from "./world.ts";

export async function importFolder(world: World, home: string, folder: string): Promise<Project> {
  const absolute = resolve(folder);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) throw new BadOption(`project ${folder}: there is no such folder`);
  if (!found.isDirectory()) throw new BadOption(`project ${folder} is not a folder`);
  const name = projectName(basename(absolute));
  const path = `root/${name}`;
  if (world.project(path) !== undefined) {
    throw new BadOption(`project ${folder}: there is already a project ${path}, rename one folder`);
  }
  const project = await addProject(world, home, name, absolute);
  await project.repository.commitFolder(absolute, world.now());
  return project;
}

/** A project of files that are in no folder. */
export async function importFiles(
  world: World,
  home: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Project> {
  const project = await addProject(world, home, projectName(name), undefined);
  await project.repository.commitFiles(files, world.now());
  return project;
}

async function addProject(
  world: World,
  home: string,
  name: string,
  folder: string | undefined,
): Promise<Project> {
  const id = world.nextId("project");
  const project: Project = {
    id,
    name,
    path: `root/${name}`,
    folder,
    repository: await Repository.create(world.repositoryPath(id), home),
    createdAt: world.now(),
  };
  world.projects.set(id, project);
  return project;
}

/** GitLab's paths: letters, digits, `_`, `-`, `.`, and nothing odd at either end. */
function projectName(text: string): string {
  const name = text
    .replace(/\.(?:git|atom)$/, "")
    .replaceAll(/[^A-Za-z0-9_.-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "");
  return name === "" ? "project" : name;
}
