/** Items of a body that comes in its own time, until the client has gone. Called by `native-writer.ts`. */

/** An exchange whose end is told to whoever waits. */
interface Abortable {
  readonly aborted: boolean
  /** Called at the end. */
  wake: (() => void) | null
}

/** Iterates `body`; when the client goes away in the middle of a wait, the iterator is returned at once. */
export async function* pullUntilAbort(
  exchange: Abortable,
  body: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string | Uint8Array, void> {
  const iterator = body[Symbol.asyncIterator]()
  try {
    while (!exchange.aborted) {
      const next = await nextOrAbort(exchange, iterator)
      if (next?.done !== false) return
      yield next.value
    }
  } finally {
    // Not awaited: a generator that waits for something else would hold the exchange for ever.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

function nextOrAbort<T>(
  exchange: Abortable,
  iterator: AsyncIterator<T>,
): Promise<IteratorResult<T> | undefined> {
  return new Promise((resolve, reject) => {
    exchange.wake = () => resolve(undefined)
    iterator.next().then(resolve, reject)
  })
}
