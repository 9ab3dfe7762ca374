/** What several sources tell, in the order in which it comes. */
export async function* merge<Item>(sources: readonly AsyncIterable<Item>[]): AsyncGenerator<Item> {
  const next = async (source: AsyncIterator<Item>) => ({ source, result: await source.next() })
  const waiting = new Map<AsyncIterator<Item>, ReturnType<typeof next>>()
  for (const source of sources) {
    const iterator = source[Symbol.asyncIterator]()
    waiting.set(iterator, next(iterator))
  }
  while (waiting.size > 0) {
    const { source, result } = await Promise.race(waiting.values())
    if (result.done) waiting.delete(source)
    else {
      waiting.set(source, next(source))
      yield result.value
    }
  }
}
