/** Errors of src/was/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const WAS_ERRORS = {
  UWAS_ERR_WAS_FRAGMENT: {
    message:
      '{name} belongs to one client, and the cached template {template} is kept for all: name it in the page around it',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_NO_CONTEXT: {
    message:
      'there is no current request here: call currentRequest() in a view or what it calls, and say requestContext: true in the configuration',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_GROUP: {
    message: 'there is no group {group} in accounts.groups of the configuration{hint}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_TOKEN: {
    message: 'the token cannot be made: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_PASSWORD: {
    message: 'the password is too long, or holds what is no character: ask problem() before hash()',
    status: 422,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_WAS_PASSWORDS_BUSY: {
    message: 'too many passwords are being checked at once; try again in a moment',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_PASSWORD_HASH: {
    message:
      'the stored hash of a password is no argon2 hash; was it cut short, or made by another program?',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_UPLOAD_LIMIT: {
    message: 'the form has more than {limit} {what}',
    status: 413,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_WAS_VIEW_TIMEOUT: {
    message: 'the view did not answer within {ms} ms',
    status: 503,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_SESSION_VALUE: {
    message: 'session: the value of {key} cannot be kept: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_SESSION_SIZE: {
    message: 'session: it would be {bytes} bytes long, and {limit} are the most; {advice}',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_WAS_SESSION_CONFLICT: {
    message:
      'the session was {what} by another request meanwhile, so nothing of this one was kept in it; look at the page anew, then try again',
    status: 409,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_SESSION_LATE: {
    message:
      'the session was changed after the reply of its request had been returned; change it before, and await what changes it',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_SESSION_STORE: {
    message:
      'sessions in cookies can be neither listed nor revoked; set sessions.store to "postgres"',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_CSRF: {
    message:
      'the form cannot be taken, since nothing proves that it comes from a page of this site; load its page anew and send it again{detail}',
    status: 403,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_HOST: {
    message:
      'a URL of this site cannot have the host {host}, which the client has named; list the hosts of the site in allowedHosts',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_OUTSIDE: {
    message: 'asking {where} failed: {problem}',
    status: 502,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_WAS_FLASH: {
    message: 'a message of {bytes} bytes cannot be kept for the next page; {limit} are the most',
    status: 500,
    base: 'RangeError',
    when: 'request',
  },
  UWAS_ERR_WAS_STATIC_TAGS: {
    message:
      'the section "static" has a tag inside, {text}, and can hold only a fixed path; for another call staticUrl(req, path) in the view and give the template its result',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_WAS_FORM: {
    message: '{form}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_WAS_SETTINGS: {
    message:
      'the settings in the environment are wrong:{problems}\nset them in the environment, or in a file .env beside the configuration',
    status: 500,
    base: 'TypeError',
    when: 'start',
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
  UWAS_ERR_WAS_GUARD: {
    message: '{where}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
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
} as const satisfies Record<`UWAS_ERR_WAS_${string}`, ErrorEntry>
