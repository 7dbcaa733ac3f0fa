/** The gate as JavaScript sees it; what it decides is tested in native/test and by the conformance cases. */
import { closeSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { Gate, Lane } from '../../src/native/gate.ts'
import { loadNative } from '../../src/native/load.ts'

const { gate } = loadNative()
const skip = gate === null && 'without the addon there is no gate'
const plain = 'GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n'

function dial(port: number, text: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => {})
    socket.write(text)
  })
}

t.test('the stand-in has no gate', async (t) => {
  t.equal(loadNative('off').gate, null)
})

t.test('connections come with their lane, one call each', { skip }, async (t) => {
  const { listen, accept, peerOf } = gate as Gate
  const listening = listen({ host: '127.0.0.1', port: 0 })
  t.not(listening.port, 0)
  const seen: [lane: Lane, path: string][] = []
  const fds: number[] = []
  const acceptor = accept(listening.fd, 4096, (fd, lane, path) => {
    fds.push(fd)
    seen.push([lane, path])
  })
  for (const request of [plain, plain + plain, `\r\n${plain}`]) {
    const before = seen.length
    const socket = await dial(listening.port, request)
    for (let i = 0; i < 500 && seen.length === before; i++) await sleep(5)
    t.equal(peerOf(fds.at(-1) ?? -1), `127.0.0.1 ${socket.localPort}`)
    socket.destroy()
  }
  t.same(seen, [
    ['native', ''],
    ['pipelined', '/a /a'],
    ['strict', ''],
  ])
  for (const fd of fds) closeSync(fd)
  t.equal(peerOf(fds[0] ?? -1), '')
  acceptor.close()
  closeSync(listening.fd)
})

t.test(
  'an acceptor that is closed hands over what has spoken, and is closed once',
  { skip },
  async (t) => {
    const { listen, accept } = gate as Gate
    const listening = listen({ port: 0 })
    const lanes: Lane[] = []
    const acceptor = accept(listening.fd, 4096, (fd, lane) => {
      lanes.push(lane)
      closeSync(fd)
    })
    const socket = await dial(listening.port, 'GET /')
    for (let i = 0; i < 500 && acceptor.waiting() === 0; i++) await sleep(2)
    t.equal(acceptor.waiting(), 1)
    acceptor.stop()
    acceptor.close()
    acceptor.close()
    t.same(lanes, ['strict'])
    t.equal(acceptor.waiting(), 0)
    socket.destroy()
    closeSync(listening.fd)
  },
)

t.test('an address that cannot be had is told with the reason', { skip }, async (t) => {
  const { listen } = gate as Gate
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  t.throws(() => listen({ host: '127.0.0.1', port }), {
    code: 'UWAS_ERR_NATIVE_LISTEN',
    message: `127.0.0.1:${port} cannot be listened on (EADDRINUSE: address already in use)`,
  })
  t.throws(() => listen({ host: 'no.such.name.invalid', port: 0 }), {
    code: 'UWAS_ERR_NATIVE_LISTEN',
    message: 'no.such.name.invalid:0 cannot be listened on (EADDRNOTAVAIL: address not available)',
  })
})

t.test(
  'an exception of the callee is an uncaught one, and the gate goes on',
  { skip },
  async (t) => {
    const { listen, accept } = gate as Gate
    const listening = listen({ host: '127.0.0.1', port: 0 })
    let calls = 0
    const acceptor = accept(listening.fd, 4096, (fd) => {
      closeSync(fd)
      if (++calls === 1) throw new Error('planted')
    })
    const caught = new Promise<Error>((resolve) => process.once('uncaughtException', resolve))
    await dial(listening.port, plain)
    t.equal((await caught).message, 'planted')
    await dial(listening.port, plain)
    for (let i = 0; i < 500 && calls < 2; i++) await sleep(2)
    t.equal(calls, 2)
    acceptor.close()
    closeSync(listening.fd)
  },
)

t.test('a worker thread that ends with an open gate ends well', { skip }, async (t) => {
  const addon = fileURLToPath(new URL('../../build/addon/uwas.node', import.meta.url))
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    const native = require(workerData)
    const { fd, port } = native.listen('127.0.0.1', 0, 10, false)
    native.accept(fd, 4096, () => {})
    parentPort.postMessage(port)`
  const worker = new Worker(source, { eval: true, workerData: addon })
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const socket = await dial(port, 'GET')
  await sleep(20)
  t.equal(await worker.terminate(), 1)
  socket.destroy()
})
