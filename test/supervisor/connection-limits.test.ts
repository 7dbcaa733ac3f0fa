/** Limits of connections over several workers: they count together, and what a worker had ends with it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { run } from '../support/binary.ts'
import { answering, eventually, skipWithoutGate, superviseSite } from '../support/supervised.ts'

t.setTimeout(240_000)

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const MOST = 300

/** A connection that has been answered: by a worker, or with 503. */
async function open(
  port: number,
): Promise<{ socket: Socket; status: number; isOver: () => boolean }> {
  const socket = connect(port, '127.0.0.1')
  let isOver = false
  socket.on('error', () => {})
  socket.on('close', () => {
    isOver = true
  })
  socket.write(GET)
  const [said] = (await once(socket, 'data')) as [Buffer]
  return { socket, status: Number(said.toString('latin1', 9, 12)), isOver: () => isOver }
}

const openMany = (port: number, count: number) =>
  Promise.all(Array.from({ length: count }, () => open(port)))

t.test(
  'workers count together, and neither one that is killed nor a reload leaves anything behind',
  { skip: skipWithoutGate },
  async (t) => {
    const keys = `workers: 2, limits: { connections: { perAddress: ${MOST} } }`
    const { port, url, root, printed } = await superviseSite(t, keys)
    const [first = 0] = await answering(url, 2)
    // What `answering` has opened has to be forgotten first.
    const taken: Awaited<ReturnType<typeof open>>[] = []
    const fill = (): Promise<true> =>
      eventually(`${MOST} are open, and not one more`, async () => {
        const wanted = MOST - taken.filter(({ isOver }) => !isOver()).length
        const more = await openMany(port, wanted)
        taken.push(...more.filter(({ status }) => status === 200))
        const isFull = taken.filter(({ isOver }) => !isOver()).length === MOST
        const one = isFull ? await open(port) : null
        one?.socket.destroy()
        return one?.status === 503
      })
    await fill()
    process.kill(first, 'SIGKILL')
    await printed(new RegExp(`pid ${first}\\) ended by SIGKILL`))
    const lost = await eventually(
      'its connections are gone',
      () => taken.filter(({ isOver }) => isOver()).length > 0,
    )
    t.ok(lost)
    t.ok(await fill(), 'room for as many as it had')
    t.equal((await run(['reload'], { cwd: root })).code, 0)
    await eventually('the old workers have closed theirs', () =>
      taken.every(({ isOver }) => isOver()),
    )
    t.ok(await fill(), 'room for all')
    for (const { socket } of taken) socket.resetAndDestroy()
    taken.length = 0
    t.ok(await fill(), 'and again')
    for (const { socket } of taken) socket.destroy()
  },
)
