/** Let's Encrypt's small authority for tests, Pebble, as a process of its own, and a name server that leads it here. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from '../../src/supervisor/free-port.ts'
import type { Authority } from './certificates.ts'

export interface Pebble {
  /** URL of its directory. */
  readonly directory: string
  readonly port: number
  /** What it has printed. */
  output(): string
  /** Ends it. */
  stop(): Promise<void>
}

export interface PebbleOptions {
  /** Where it asks for what it challenges. */
  readonly httpPort: number
  /** Default: any free one. */
  readonly port?: number
  /** Key ids and keys of who may have an account. Default: everybody may. */
  readonly externalAccounts?: Readonly<Record<string, string>>
  /** Per cent of the nonces that it refuses, to see what clients do. Default 5. */
  readonly refusedNonces?: number
}

const isHere = (process.env['PATH'] ?? '')
  .split(':')
  .some((folder) => existsSync(join(folder, 'pebble')))

/** Options of a test that needs it. */
export const NEEDS_PEBBLE = isHere
  ? {}
  : { skip: 'Pebble is not here; on Debian: apt-get install pebble' }

/** Its own TLS is by `authority`. Ended with the test. */
export async function startPebble(
  t: Test,
  { dir, issue }: Authority,
  { httpPort, port: wanted, externalAccounts, refusedNonces = 5 }: PebbleOptions,
): Promise<Pebble> {
  const port = wanted ?? (await freePort({ host: '127.0.0.1', port: 0 }))
  const own = issue(`pebble${port}`, ['localhost', 'IP:127.0.0.1'])
  const config = join(dir, `pebble${port}.json`)
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: '',
    certificate: own.certFile,
    privateKey: own.keyFile,
    httpPort,
    tlsPort: 1,
    externalAccountBindingRequired: externalAccounts !== undefined,
    externalAccountMACKeys: externalAccounts ?? {},
  }
  writeFileSync(config, JSON.stringify({ pebble }))
  const names = await leadHere(t)
  const env = {
    ...process.env,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: String(refusedNonces),
    PEBBLE_AUTHZREUSE: '0',
  }
  const args = ['-config', config, '-dnsserver', `127.0.0.1:${names}`, '-strict']
  const child = spawn('pebble', args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(stop)
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk
      if (output.includes('Listening on')) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    ended.then(() => reject(new Error(`pebble ended:\n${output}`)), reject)
  })
  return { directory: `https://127.0.0.1:${port}/dir`, port, output: () => output, stop }
}

/** A name server by which every name is 127.0.0.1 (RFC 1035 section 4.1); its port. */
async function leadHere(t: Test): Promise<number> {
  const socket = createSocket('udp4', (query, { port, address }) => {
    // The question ends behind the labels, its type and its class.
    let end = 12
    while (query[end] !== 0) end += (query[end] as number) + 1
    const type = query.readUInt16BE(end + 1)
    const question = query.subarray(12, end + 5)
    const isAddress = type === 1
    const header = Buffer.from(query.subarray(0, 12))
    header.writeUInt16BE(0x8180, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(isAddress ? 1 : 0, 6)
    header.writeUInt32BE(0, 8)
    const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]
    const answer = isAddress ? Buffer.from(record) : Buffer.alloc(0)
    socket.send(Buffer.concat([header, question, answer]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => new Promise<void>((resolve) => socket.close(resolve)))
  return (socket.address() as AddressInfo).port
}
