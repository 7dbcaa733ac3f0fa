/** Errors of src/route/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const ROUTE_ERRORS = {
  UWAS_ERR_ROUTE_PATTERN: {
    message: 'URL pattern "{pattern}" ({place}), character {position}: {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_ROUTE_HOST: {
    message: 'host "{pattern}" ({place}): {problem}',
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
      'reverse of route {route} would be {path}, which no request can ask for: a value makes an empty or dot segment, holds a backslash or control character, or makes no label of a host',
    status: 500,
    base: 'TypeError',
    when: 'request',
  },
  UWAS_ERR_ROUTE_REVERSE_INCLUDED: {
    message:
      'this URL conf is included under "{prefix}", so its own reverse() cannot know the whole URL; call reverse() of the root URL conf',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_ROUTE_SOCKET: {
    message: 'WebSocket of URL pattern "{pattern}" ({place}): {problem}',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
} as const satisfies Record<`UWAS_ERR_ROUTE_${string}`, ErrorEntry>
