// Thrown when the job's container never came up or vanished. The agent cannot know why: whoever launched
// it can (an image that cannot be pulled, memory), so it is the launcher who tells GitLab.

export class ContainerGone extends Error {
  override readonly name = "ContainerGone";
}
