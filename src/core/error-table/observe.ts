/** Errors of src/observe/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const OBSERVE_ERRORS = {
  UWAS_ERR_OBSERVE_LOG_FORMAT: {
    message: 'accessLog.format: {what} {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_OBSERVE_METRIC: {
    message: 'metric "{name}": {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_OBSERVE_VALUE: {
    message: 'metric "{name}": {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
} as const satisfies Record<`UWAS_ERR_OBSERVE_${string}`, ErrorEntry>
