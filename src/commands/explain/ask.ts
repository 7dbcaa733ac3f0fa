/**
 * Reads what the user of `uwas explain` asks about. Gets the words of the command line, leaves the request
 * that a client would send.
 */
import { createError } from '../../core/errors.ts'
import { Services } from '../../core/services.ts'
import { isToken } from '../../http/headers.ts'
import { Request } from '../../http/request.ts'
import { KNOWN_METHODS } from '../../server/fences.ts'
import type { Asked } from './explanation.ts'

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is

export interface AskOptions {
  /** Default 1.1. */
  readonly version?: '1.0' | '1.1'
  /** Bytes of the request's body: its Content-Length. Default: none. */
  readonly bodyBytes?: number | undefined
}

/**
 * `GET /path?query`, or a URL alone, which is a GET; absolute URLs name their Host. A known method may be
 * written in small letters. `fields` are `Name: value`. Throws UWAS_ERR_COMMANDS_EXPLAIN.
 */
export function readAsked(
  first: string,
  second: string | undefined,
  given: readonly string[],
  { version = '1.1', bodyBytes }: AskOptions = {},
): Asked {
  const [wish, url] = second === undefined ? ['GET', first] : [first, second]
  const upper = wish.toUpperCase()
  const method = KNOWN_METHODS.has(upper) ? upper : wish
  const [, authority, rest = url] = ABSOLUTE.exec(url) ?? []
  const target = rest === '' || rest.startsWith('?') ? `/${rest}` : rest
  if (!target.startsWith('/') || authority === '') {
    refuse(
      `${JSON.stringify(url)} is no URL; write "uwas explain GET /path" or a whole http:// URL`,
    )
  }
  if (target.includes('#')) {
    refuse(`what follows "#" in ${JSON.stringify(url)} is never sent; leave it out, or write %23`)
  }
  // As browsers write it.
  const sent = target.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()))
  const at = sent.indexOf('?')
  const rawPath = at < 0 ? sent : sent.slice(0, at)
  const own = given.map(readField)
  const has = (name: string) => own.some(([one]) => one.toLowerCase() === name)
  const list = authority === undefined ? own : own.filter(([name]) => name.toLowerCase() !== 'host')
  if (authority !== undefined) list.unshift(['Host', authority])
  else if (!has('host') && version === '1.1') list.unshift(['Host', 'localhost'])
  if (bodyBytes !== undefined && !has('content-length')) {
    list.push(['Content-Length', String(bodyBytes)])
  }
  const fields = byName(list)
  // The address that a client of HTTP/1.0 has called stands in for it.
  if (!fields.has('host')) fields.set('host', '127.0.0.1')
  return { method, rawPath, search: at < 0 ? '' : sent.slice(at + 1), version, list, fields }
}

/** As the site's own code takes it; `path` is decoded, or what a rewrite has put in its place. */
export function requestOf({ method, search, fields }: Asked, path: string): Request {
  return new Request({
    method,
    path,
    search,
    fields: { get: (name) => fields.get(name), entries: () => [...fields] },
    body: null,
    services: new Services(),
    remoteAddress: () => '127.0.0.1',
    secure: false,
    trace: null,
  })
}

function readField(field: string): [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]*):\s*(.*?)\s*$/s.exec(field) ?? []
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to refuse
  if (!isToken(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
    refuse(`${JSON.stringify(field)} is no field; write -H "Name: value"`)
  }
  return [name, value]
}

function byName(list: Asked['list']): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [name, value] of list) {
    const lower = name.toLowerCase()
    const before = fields.get(lower)
    fields.set(lower, before === undefined ? value : `${before}, ${value}`)
  }
  return fields
}

function refuse(problem: string): never {
  throw createError('UWAS_ERR_COMMANDS_EXPLAIN', { problem })
}
