/**
 * DATABASE_URL text → where and as whom to connect. Called by `database.ts`; commands use it to say
 * where the data is without its password.
 */
import { userInfo } from 'node:os'
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'

export interface DatabaseTarget {
  /** A host name or address; a path (it starts with `/`) is the folder of a unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly ssl: false | 'prefer' | 'require' | 'verify-full'
  readonly applicationName: string
  /** For people: host, port and database; never the password. */
  readonly where: string
}

const FORM = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^:[\],]*)(?::(\d+))?$/
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-full'] as const
const PARAMETERS = ['host', 'port', 'sslmode', 'application_name', 'user', 'password', 'dbname']

/**
 * Parses `postgres://user:password@host:5432/database?sslmode=require`. `?host=/run/postgresql` names
 * the folder of a unix socket. Without a user the system's user stands, without a database the
 * user's name (libpq, section 32.1.1.2). Throws UWAS_ERR_MODEL_URL, which never quotes the URL.
 */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  const match = FORM.exec(url)
  if (match === null) throw wrong('cannot be read as a PostgreSQL URL')
  const [, login = '', authority = '', path = '', search = ''] = match
  const query = readQuery(search)
  const address = HOST.exec(authority)
  if (address === null) throw wrong('must name one host and, after a colon, one port')
  const [name, password] = splitLogin(login)
  const user = query.get('user') ?? (name || userInfo().username)
  const host =
    query.get('host') ?? (decode(address[1] ?? '').replace(/^\[|\]$/g, '') || 'localhost')
  const port = readPort(query.get('port') ?? address[2] ?? '5432')
  const database = query.get('dbname') ?? (decode(path) || user)
  return {
    host,
    port,
    user,
    password: query.get('password') ?? password,
    database,
    ssl: readSsl(query.get('sslmode') ?? 'disable'),
    applicationName: query.get('application_name') ?? 'uwas',
    where: whereOf(host, port, database),
  }
}

/** The same server and role, another database. */
export function siblingTarget(target: DatabaseTarget, database: string): DatabaseTarget {
  return { ...target, database, where: whereOf(target.host, target.port, database) }
}

function whereOf(host: string, port: number, database: string): string {
  return host.startsWith('/') ? `${host} (${database})` : `${host}:${port}/${database}`
}

/** The URL of a database behind a unix socket in `folder`. */
export function socketUrl(folder: string, user: string, database: string): string {
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(folder)}`
}

/** The socket file that stands for `port` in its folder, or undefined for a TCP target. */
export function socketPath(target: DatabaseTarget): string | undefined {
  return target.host.startsWith('/') ? `${target.host}/.s.PGSQL.${target.port}` : undefined
}

function readQuery(search: string): URLSearchParams {
  const query = new URLSearchParams(search)
  for (const key of query.keys()) {
    if (!PARAMETERS.includes(key)) {
      throw wrong(`has the unknown parameter "${key}"${hintNearest(key, PARAMETERS)}`)
    }
  }
  return query
}

function splitLogin(login: string): [user: string, password: string] {
  const colon = login.indexOf(':')
  return colon < 0
    ? [decode(login), '']
    : [decode(login.slice(0, colon)), decode(login.slice(colon + 1))]
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw wrong('has a port that is no port')
  return port
}

function readSsl(mode: string): DatabaseTarget['ssl'] {
  const known = SSL_MODES.find((each) => each === mode)
  if (known === undefined) throw wrong(`has an unknown sslmode${hintNearest(mode, SSL_MODES)}`)
  return known === 'disable' ? false : known
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('has a % that begins no percent-encoding; write % itself as %25')
  }
}

function wrong(problem: string): Error {
  return createError('UWAS_ERR_MODEL_URL', { problem })
}
