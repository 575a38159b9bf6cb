// Images that can do nothing here but fail slowly: told by their names, before anything is started.

import type { ImageReference } from "./image-reference.ts";

export type ContainerExecutor = "docker" | "fargate";

/** Why an image cannot run, and what can be done instead; undefined where nothing speaks against it. */
export function unrunnable(
  image: ImageReference,
  what: "image" | "service",
  executor: ContainerExecutor,
): string | undefined {
  if (what === "service" && isDockerInDocker(image)) {
    const why =
      executor === "fargate"
        ? "privileged mode, which Fargate does not have"
        : "privileged mode, which jobs are not given: what passes here is to pass on Fargate too";
    return (
      `${image.name} needs ${why}. Instead build images with a builder that needs neither a daemon nor privileges, ` +
      "such as kaniko, or have them built elsewhere: CodeBuild, or `docker buildx` with a remote builder"
    );
  }
  if (isWindows(image)) {
    return (
      `${image.name} is made for Windows, and jobs run on Linux, where it cannot start. Instead use a Linux image, ` +
      "or give the job a tag of a runner that is made for Windows"
    );
  }
  return undefined;
}

/** Why ECS would not take the name of an image to pull. */
export function tooLong(image: ImageReference): string | undefined {
  const length = image.digest === "" ? image.name.length : image.name.indexOf("@");
  if (length <= 255) return undefined;
  return (
    `${image.name.slice(0, 60)}… has a name of ${length} characters, and ECS takes 255. ` +
    "Instead give the image a shorter path or tag"
  );
}

/** What will probably fail, in a sentence for the job's log. */
export function doubtful(image: ImageReference, executor: ContainerExecutor): string | undefined {
  if (isDockerInDocker(image)) {
    return `${image.name} can start no daemon here, as that needs privileged mode; its client can reach one elsewhere`;
  }
  if (executor === "fargate" && image.path.startsWith("nvidia/")) {
    return (
      `${image.name} is made for GPUs, and Fargate has none: what needs one will fail. ` +
      "Have such jobs run on a runner with GPUs, by their tags"
    );
  }
  const builders = /(?:^|\/)(?:buildkit|buildah|podman)(?:\/|$)/;
  if (executor !== "fargate" || !builders.test(image.path)) return undefined;
  return (
    `${image.name} builds images with user namespaces, which Fargate does not allow: it will probably fail. ` +
    "A builder that needs none is kaniko"
  );
}

/** Docker's own image by its tag, others by their name: `example.com/ci/docker-dind:28`. */
function isDockerInDocker({ path, tag }: ImageReference): boolean {
  const dind = /(?:^|-)dind(?:-|$)/;
  const name = path.split("/").at(-1) ?? "";
  return dind.test(name) || (name === "docker" && dind.test(tag));
}

function isWindows({ registry, path, tag }: ImageReference): boolean {
  // The .NET Framework, unlike .NET, is there for Windows only.
  const windows = /^(?:windows|dotnet\/framework)(?:\/|$)/;
  if (registry === "mcr.microsoft.com" && windows.test(path)) return true;
  return /(?:^|-)(?:windowsservercore|nanoserver)(?:-|$)/.test(tag);
}
