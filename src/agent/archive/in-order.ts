// Several pieces of work under way at once, results in the order of the items: the width of a pipe.

export async function* inOrder<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      result.catch(() => undefined); // It is heard of when its turn comes, or not at all.
      underWay.push(result);
      while (underWay.length >= width) yield await next(underWay);
    }
    while (underWay.length > 0) yield await next(underWay);
  } finally {
    // Whoever stops early may close files next: nothing may still be using them.
    await Promise.allSettled(underWay);
  }
}

async function next<Result>(underWay: Promise<Result>[]): Promise<Result> {
  const first = underWay.shift();
  if (first === undefined) throw new RangeError("nothing is under way");
  return await first;
}
