/** Limits of a server with several workers: all count together, and nothing is forgotten when they change. */
import t from 'tap'
import { folder, run, serve } from '../support/binary.ts'
import { answering, eventually, skipWithoutGate } from '../support/supervised.ts'

const SITE = `import { limit, path, text, urlconf } from 'uwas'
const who = () => text(String(process.pid))
const few = limit({ requests: 10, perSeconds: 100_000 })
export const urls = urlconf(path('/', who), path('/few', who, { middleware: [few] }))
`

async function statusOf(url: string): Promise<number> {
  const reply = await fetch(url, { headers: { connection: 'close' } })
  await reply.text()
  return reply.status
}

t.test(
  'workers count in one, and neither a reload nor the end of a worker makes them forget',
  { skip: skipWithoutGate },
  async (t) => {
    const root = folder(t, {
      'uwas.config.ts':
        "import { urls } from './urls.ts'\nexport const config = { urls, workers: 3 }\n",
      'urls.ts': SITE,
    })
    const { port, printed } = await serve(t, ['serve', '--port', '0'], { cwd: root })
    const url = `http://127.0.0.1:${port}`
    const [first = 0] = await answering(url, 3)
    const statuses = await Promise.all(Array.from({ length: 60 }, () => statusOf(`${url}/few`)))
    t.equal(statuses.filter((status) => status === 200).length, 10)
    t.equal(statuses.filter((status) => status === 429).length, 50)
    process.kill(first, 'SIGKILL')
    await printed(new RegExp(`pid ${first}\\) ended by SIGKILL`))
    await eventually('three again', async () => !(await answering(url, 3)).has(first))
    t.equal((await run(['reload'], { cwd: root })).code, 0)
    const after = await Promise.all(Array.from({ length: 30 }, () => statusOf(`${url}/few`)))
    t.strictSame(new Set(after), new Set([429]))
  },
)
