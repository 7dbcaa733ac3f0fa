/** A server over one function, for tests of `server/`: real engine, real sockets, no site. */
import type { Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { Services } from '../../src/core/services.ts'
import type { HttpError } from '../../src/http/http-error.ts'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { SECURITY_HEADERS } from '../../src/http/security-headers.ts'
import type { Gate } from '../../src/native/gate.ts'
import { loadNative } from '../../src/native/load.ts'
import { type ExchangeListener, observerOf } from '../../src/observe/observer.ts'
import type { Application } from '../../src/server/application.ts'
import { type ListenOptions, listen, type Server } from '../../src/server/server.ts'

export interface TestServer extends Server {
  readonly log: string[]
}

export interface ServeOptions {
  readonly catalogue?: Application['files']
  readonly limits?: Partial<Application['limits']>
  readonly rules?: Application['rules']
  readonly guards?: Application['guards']
  readonly hosts?: Application['hosts']
  readonly sockets?: Application['sockets']
  readonly services?: Services
  readonly traces?: Application['traces']
  readonly listeners?: readonly ExchangeListener[]
  /** `native`: no gate, the engine's own connections. `strict`: llhttp's for all. Default: by the gate. */
  readonly lane?: 'native' | 'strict'
  /** By TLS, too, on any free port. */
  readonly tls?: NonNullable<ListenOptions['tls']>
}

/** Serves `dispatch` on a free port until the test ends. */
export async function serve(
  t: Test,
  dispatch: Application['dispatch'],
  options: ServeOptions = {},
): Promise<TestServer> {
  const log: string[] = []
  const application = applicationOf(dispatch, options, log)
  const server = await listen(application, {
    host: '127.0.0.1',
    port: 0,
    headers: [...SECURITY_HEADERS],
    countsConnections: true,
    ...gateOf(options.lane),
    tls: options.tls ?? null,
  })
  let closed = false
  const close: Server['close'] = (closeOptions) => {
    if (closed) return Promise.resolve(0)
    closed = true
    return server.close(closeOptions)
  }
  t.teardown(() => close({ graceMs: 0 }))
  return { ...server, close, log }
}

/** What `serve` serves; lines of its log are appended to `log`. */
export function applicationOf(
  dispatch: Application['dispatch'],
  options: ServeOptions = {},
  log: string[] = [],
): Application {
  return {
    files: options.catalogue ?? { lookup: () => undefined, redirect: (entry) => entry.ok },
    pages: null,
    rules: options.rules ?? null,
    guards: options.guards ?? null,
    hosts: options.hosts ?? null,
    tellsHealth: () => false,
    sockets: options.sockets ?? null,
    services: options.services ?? new Services(),
    dispatch,
    notFound: (_req: Request) => text('not found\n', { status: 404 }),
    tooLarge: (_req: Request) => text('too large\n', { status: 413 }),
    errorPages: (_req, error) => {
      const { status, headers } = error as HttpError
      return text(`the page of ${status}\n`, { status, headers: Object.fromEntries(headers) })
    },
    bodyLimit: () => options.limits?.maxBodyBytes ?? 1024 * 1024,
    traces: options.traces ?? null,
    tracer: null,
    observer: observerOf(options.listeners ?? []),
    limits: {
      maxBodyBytes: 1024 * 1024,
      maxUrlBytes: 8000,
      minSendBytesPerSecond: 0,
      minReceiveBytesPerSecond: 0,
      maxResponseSeconds: 0,
      ...options.limits,
    },
    log: createLog((line) => log.push(line)),
  }
}

function gateOf(lane: ServeOptions['lane']): { gate?: Gate | null } {
  const { gate } = loadNative()
  if (lane === 'native') return { gate: null }
  if (lane !== 'strict' || gate === null) return {}
  const accept: Gate['accept'] = (fd, maxHeadBytes, onConnection) =>
    gate.accept(fd, maxHeadBytes, (connection) => onConnection(connection, 'strict', ''))
  return { gate: { ...gate, accept } }
}
