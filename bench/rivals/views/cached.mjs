/** A cache that is read through, for the rows of `world`. */
import { LRUCache } from 'lru-cache'

/** `read` gives the row of an id. */
export function cacheOf(read) {
  const cache = new LRUCache({ max: 10_000, fetchMethod: read })
  return (id) => cache.get(id) ?? cache.fetch(id)
}
