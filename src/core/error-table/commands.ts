/** Errors of src/commands/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const COMMANDS_ERRORS = {
  UWAS_ERR_COMMANDS_NOTHING_TO_BUILD: {
    message: '{file} names no templates, so there is nothing to build: add the key "templates"',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_COLLECT: {
    message: 'static files cannot be collected into {dir}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_CONFIG_EXPORT: {
    message: '{file} exports no configuration: write "export const config = defineConfig(…)" there',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_CONFIG_LOAD: {
    message: '{file} cannot be loaded: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_ENV_FILE: {
    message: '{file} cannot be read: {problem}; let this user read it, or take it away',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_LOG_FILE: {
    message: '--log-file {file} cannot be written: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_EXPLAIN: {
    message: 'cannot explain that request: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_FOLDER: {
    message: 'cannot serve {dir}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_FOLDER_FLAGS: {
    message:
      '--spa, --listing and --clean-urls are for "uwas serve DIR"; in a site set them for its folders, in the key "static" of its configuration',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_NEW: {
    message: 'cannot start a site in {dir}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_NO_CONFIG: {
    message: '{file} does not exist: {hint}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_EMPTY: {
    message:
      '{file} sets neither "urls" nor "static", so there is nothing to serve: add "urls: urlconf(…)" or "static: \'public\'"',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_SHELL: {
    message: 'the site has none of this: set the key "{missing}" of its configuration',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_COMMANDS_MIGRATION_OPEN: {
    message:
      'migration {name} is {state}, and a draft starts from a database that has all of them: run "uwas migrate" first',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_NOTHING_TO_MIGRATE: {
    message: '{file} names no {missing}, so there is nothing to migrate: add the key "{missing}"',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_TEMPLATE_NAME: {
    message: '{place}: "{name}" is not among the data of {view}{hint}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_TEMPLATE_UNKNOWN: {
    message: '{view} renders the template "{name}", which does not exist{hint}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_STATIC: {
    message: '{place}: {problem}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_PASSWORD: {
    message: 'the password cannot be hashed: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_CERTIFICATE: {
    message: 'no certificate for development could be made in {dir}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_USER: {
    message: 'the user cannot be made: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_SET_PASSWORD: {
    message: 'the password cannot be set: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_COMMANDS_TRACING_ENDPOINT: {
    message:
      'tracing.endpoint {endpoint} takes no traces: {problem}; it has to be the OTLP/HTTP address of a collector, and tracing.headers what it wants',
    status: 500,
    base: 'Error',
    when: 'start',
  },
} as const satisfies Record<`UWAS_ERR_COMMANDS_${string}`, ErrorEntry>
