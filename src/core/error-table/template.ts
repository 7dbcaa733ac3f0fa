/** Errors of src/template/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const TEMPLATE_ERRORS = {
  UWAS_ERR_TEMPLATE_URL: {
    message: '{place}: the URL of "{route}": {problem}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_BLOCKS: {
    message:
      '{place}: templates that inherit from each other replace their blocks in {count} ways by now; let fewer parents stand in each other{excerpt}',
    status: 500,
    base: 'RangeError',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_BUILT: {
    message: '{file} cannot be used: {problem}; run "uwas build" again, or remove it',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_NOT_BUILT: {
    message:
      'this process may not make code from strings, so it needs the templates that "uwas build" writes, and {problem}: run "uwas build"',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_UNKNOWN_BLOCK: {
    message:
      '{place}: the parent "{parent}" has no block "{name}", so that this would show nowhere{hint}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_TEMPLATE_UNKNOWN_NAME: {
    message:
      '{place}: nothing is named "{name}"{hint} (an error in development only; in production it is empty){excerpt}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_CACHED: {
    message: '{place}: the cached template {problem}{excerpt}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_CHOSEN: {
    message: '{place}: a value names the template "{name}" here, which {problem}{excerpt}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_CONTEXT: {
    message: '{place}: {tag} stands {where}; {advice}{excerpt}',
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
  UWAS_ERR_TEMPLATE_LAMBDA: {
    message:
      '{place}: the lambda returned a text with tags, which this process may not compile (--disallow-code-generation-from-strings): return text without tags{excerpt}',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_TEMPLATE_LINKS: {
    message:
      '{place}: templates stand in each other more than {limit} deep here; let each hold fewer others{excerpt}',
    status: 500,
    base: 'RangeError',
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
} as const satisfies Record<`UWAS_ERR_TEMPLATE_${string}`, ErrorEntry>
