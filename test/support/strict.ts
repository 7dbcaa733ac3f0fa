/** The strict lane alone, and raw conversations with it. */
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { NativeLane } from '../../src/server/native-lane.ts'
import { StrictLane, type StrictOptions } from '../../src/server/strict-lane.ts'
import { applicationOf } from './application.ts'
import { dial } from './raw.ts'

/** Everything that comes back on one connection until the server closes it, or `isEnough`. */
export async function converse(port: number, request: string, isEnough: (text: string) => boolean) {
  const socket = await dial(port)
  let seen = ''
  let closed = false
  socket.setEncoding('latin1').on('data', (chunk) => {
    seen += chunk
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.write(request)
  for (let i = 0; i < 1000 && !closed && !isEnough(seen); i++) await sleep(5)
  return { socket, seen: () => seen, closed: () => closed }
}

/** The strict lane behind Node's own listening socket: with deadlines of its own, without the addon. */
export async function strictOnly(t: Test, options: Partial<StrictOptions>): Promise<number> {
  const application = applicationOf(async (req) =>
    text(req.path === '/early' ? 'early' : await req.text()),
  )
  const lane = new NativeLane(application, [])
  const strict = new StrictLane(lane, { maxHeaderBytes: 4096, ...options })
  const server = createServer({ allowHalfOpen: true }, (socket) => strict.adopt(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    strict.close()
  })
  return (server.address() as { port: number }).port
}
