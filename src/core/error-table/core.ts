/** Errors of src/core/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const CORE_ERRORS = {
  UWAS_ERR_CORE_SERVICE_MISSING: {
    message: 'the site has no {service}: {hint}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_CORE_UNKNOWN_OPTION: {
    message: '{where}: unknown option "{key}"{hint}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_CORE_INVALID_OPTION: {
    message: '{where}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
} as const satisfies Record<`UWAS_ERR_CORE_${string}`, ErrorEntry>
