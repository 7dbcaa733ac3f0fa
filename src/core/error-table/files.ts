/** Errors of src/files/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const FILES_ERRORS = {
  UWAS_ERR_FILES_CHANGED: {
    message: '{path} has changed since it was looked up; ask again in a moment',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_FILES_CUT_SHORT: {
    message: '{path} changed while it was being sent; the reply ends at byte {sent} of {length}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_FILES_FOLDER: {
    message: 'cannot serve the folder {dir} at {prefix}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_FILES_GONE: {
    message: '{path} is no longer there',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_FILES_PREFIX: {
    message: 'static files cannot be served at {prefix}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_FILES_ROOT: {
    message: 'file(): {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
} as const satisfies Record<`UWAS_ERR_FILES_${string}`, ErrorEntry>
