/** Errors of src/supervisor/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const SUPERVISOR_ERRORS = {
  UWAS_ERR_SUPERVISOR_DRAINING: {
    message:
      'the server before this one (pid {pid}) is still finishing what it has begun: wait until it has ended',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_PID_FILE: {
    message: '{file} cannot be the pid file: {problem}. Name another one with --pid-file',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_REFUSED: {
    message: 'the running server did not {question}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_RESTART: {
    message:
      'the configuration changes {keys}, which a reload cannot do: "uwas upgrade" can, or stop the server and start it again',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_STATUS: {
    message:
      'the status listener cannot listen on {address}: {problem}. Choose another address for status.listen',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_STOPPING: {
    message: 'the server is stopping',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_UNREACHABLE: {
    message:
      'no running server is found by {file}: {problem}. Start one with "uwas serve", or name its file with --pid-file',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_SOCKET: {
    message: 'the inherited socket {fd} cannot be served: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_UPGRADE: {
    message: 'the running server cannot be taken over: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_UPGRADING: {
    message: 'an upgrade is under way: wait until it has come to its end',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_USER: {
    message: 'workers cannot run as the user {name}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_VERSION: {
    message:
      'uwas {found} is installed here, but {running} is running: "uwas upgrade" starts the new one',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SUPERVISOR_WORKER: {
    message: '{name} could not start: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
} as const satisfies Record<`UWAS_ERR_SUPERVISOR_${string}`, ErrorEntry>
