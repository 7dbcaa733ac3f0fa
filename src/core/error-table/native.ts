/** Errors of src/native/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const NATIVE_ERRORS = {
  UWAS_ERR_NATIVE_ADDON: {
    message: 'UWAS_NATIVE=on asks for the native addon, which does not load: {reason}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_NATIVE_ARGUMENT: {
    message: '{call}: {name} must be a string, not {value}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_NATIVE_CHANGED: {
    message: '{subject} kept changing while it was being opened; try again',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_DENIED: {
    message: '{subject} may not be read by this process ({reason})',
    status: 403,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_IO: {
    message: '{subject} cannot be opened ({reason})',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_LIMIT: {
    message:
      '{subject} cannot be opened now ({reason}): the process is out of open files, mappings or memory; its limits are in "ulimit -a"',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_LINK_LOOP: {
    message: '{subject} goes over too many symbolic links ({reason})',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_LISTEN: {
    message: '{subject} cannot be listened on ({reason})',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_NATIVE_NOT_FOUND: {
    message: '{subject} does not exist ({reason})',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_NOT_REGULAR: {
    message: '{subject} is not {expected}',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_OUTSIDE: {
    message:
      '{subject} leads out of that folder: absolute paths, absolute links and ".." above it are refused',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_PATH: {
    message: '{subject} cannot name a file: {reason}',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_ROOT: {
    message: '{root} cannot be opened as a root folder ({reason})',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_NATIVE_TOO_LARGE: {
    message: '{subject} is larger than {limit} bytes, the most that can be mapped',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
} as const satisfies Record<`UWAS_ERR_NATIVE_${string}`, ErrorEntry>
