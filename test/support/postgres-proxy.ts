/** A way to the test's PostgreSQL that counts, and that can stop without a word. */
import { createServer, connect as dial, type Socket } from 'node:net'
import type { Test } from 'tap'
import { parseDatabaseUrl } from '../../src/model/url.ts'
import { testDatabaseUrl } from './postgres.ts'

export interface Proxy {
  /** Of a new database, through it. */
  readonly url: string
  /** How many parts its clients have sent since the last call; what arrives together is one. */
  parts(): number
  /** From now on nothing gets through, and nobody is told. */
  freeze(): void
}

/** Ended with the test. */
export async function proxied(t: Test): Promise<Proxy> {
  const { host, port, user, password, database } = parseDatabaseUrl(await testDatabaseUrl())
  const sockets = new Set<Socket>()
  let parts = 0
  let isFrozen = false
  const proxy = createServer((client) => {
    const server = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
    client.on('data', (chunk) => {
      parts++
      if (!isFrozen) server.write(chunk)
    })
    server.on('data', (chunk) => void (isFrozen || client.write(chunk)))
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {}).on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    proxy.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = proxy.address() as { port: number }
  return {
    url: `postgres://${user}:${password}@127.0.0.1:${address.port}/${database}`,
    parts() {
      const before = parts
      parts = 0
      return before
    },
    freeze() {
      isFrozen = true
    },
  }
}
