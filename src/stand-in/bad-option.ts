// The stand-in cannot be started as asked: the message says what is wrong and what would be right.

export class BadOption extends Error {
  override readonly name = "BadOption";
}
