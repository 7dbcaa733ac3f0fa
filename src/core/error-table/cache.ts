/** Errors of src/cache/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const CACHE_ERRORS = {
  UWAS_ERR_CACHE_KEY: {
    message: 'a cache key is a text that is not empty, and this is {value}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_CACHE_NUMBER: {
    message: 'increment(): {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_CACHE_OPTION: {
    message: 'the cache: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_CACHE_TAG: {
    message: 'cache tags: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_CACHE_VALUE: {
    message:
      'cannot cache {key}: {place} is {problem}; keep plain data (objects, lists, text, numbers, dates, maps, bytes)',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
} as const satisfies Record<`UWAS_ERR_CACHE_${string}`, ErrorEntry>
