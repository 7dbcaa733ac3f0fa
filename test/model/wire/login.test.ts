import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { createDatabase, type Database } from '../../../src/model/database.ts'
import { temporaryFolder } from '../../support/catalogue.ts'
import { keepLog, testDatabaseUrl } from '../../support/postgres.ts'

/** A server that speaks TLS before the real PostgreSQL, as poolers do; its port. */
async function tlsFront(t: Test, answer: 'S' | 'N'): Promise<number> {
  const dir = temporaryFolder(t)
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
    ].concat([...['-keyout', key, '-out', cert]]),
    { stdio: 'ignore' },
  )
  const folder = new URL(await testDatabaseUrl()).searchParams.get('host') ?? ''
  const server = createServer((client) => {
    client.on('error', () => {})
    client.once('data', (first: Buffer) => {
      if (first.byteLength !== 8) return pipe(client, folder, first)
      client.write(answer)
      if (answer === 'N') return pipe(client, folder)
      const secure = new TLSSocket(client, {
        isServer: true,
        key: readFileSync(key),
        cert: readFileSync(cert),
      })
      secure.on('error', () => {})
      pipe(secure, folder)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as { port: number }).port
}

function pipe(client: Socket, folder: string, first?: Buffer): void {
  const postgres = connect(join(folder, '.s.PGSQL.5432'))
  postgres.on('error', () => client.destroy())
  client.on('close', () => postgres.destroy())
  if (first !== undefined) postgres.write(first)
  client.pipe(postgres).pipe(client)
}

async function open(t: Test, port: number, mode: string): Promise<Database> {
  const { username, pathname } = new URL(await testDatabaseUrl())
  const url = `postgres://${username}@localhost:${port}${pathname}?sslmode=${mode}`
  const db = createDatabase({ url, log: keepLog() })
  t.teardown(() => db.close())
  return db
}

t.test('require and prefer speak TLS, with large answers too', async (t) => {
  const port = await tlsFront(t, 'S')
  for (const mode of ['require', 'prefer']) {
    const db = await open(t, port, mode)
    const connection = await db.openSeparate()
    const { rows } = await connection.run("select repeat('한', $1::int)", ['300000'])
    t.equal(rows[0]?.[0]?.length, 300_000, mode)
    const many = await Promise.all(
      Array.from({ length: 500 }, (_, i) => connection.run('select $1::int', [String(i)])),
    )
    t.ok(many.every(({ rows }, i) => rows[0]?.[0] === String(i)))
    await connection.close(1000)
  }
})

t.test('verify-full refuses a certificate that nobody vouches for', async (t) => {
  const db = await open(t, await tlsFront(t, 'S'), 'verify-full')
  await t.rejects(db.openSeparate(), {
    code: 'UWAS_ERR_MODEL_UNAVAILABLE',
    message: /self-signed certificate/,
  })
})

t.test('a server without TLS is taken by prefer and refused by require', async (t) => {
  const port = await tlsFront(t, 'N')
  const db = await open(t, port, 'prefer')
  const connection = await db.openSeparate()
  t.strictSame((await connection.simple('select 1')).rows, [['1']])
  await connection.close(1000)
  await t.rejects((await open(t, port, 'require')).openSeparate(), {
    code: 'UWAS_ERR_MODEL_UNAVAILABLE',
    message: /does not speak TLS, which sslmode asks for/,
  })
})
