import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { hasAutocannon, loadByAutocannon } from '../../bench/method/autocannon.ts'

const skip = hasAutocannon() ? false : 'autocannon is not installed: npm --prefix bench ci'

t.test(
  'what autocannon has sent, and what it has got, is counted as by wrk',
  { skip },
  async (t) => {
    const seen = new Map<string, number>()
    const server = createServer((request, response) => {
      const { url = '', headers } = request
      seen.set(url, (seen.get(url) ?? 0) + 1)
      response.statusCode = url === '/missing' ? 404 : headers['x-field'] === 'v' ? 304 : 500
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.closeAllConnections())
    t.teardown(() => server.close())
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const plan = { origin, connections: 3, pipelined: undefined, scratch: t.testdir() }
    const headers = { 'X-Field': 'v' }
    const right = await loadByAutocannon({ ...plan, paths: ['/a', '/b'], headers }, [0], 1)
    t.equal(right.errors, 0, '304 is an answer')
    t.ok(right.requests > 10, `${right.requests} requests`)
    t.ok(Math.abs((seen.get('/a') ?? 0) - (seen.get('/b') ?? 0)) <= 6, 'in turn')
    t.ok(right.seconds >= 0.9 && right.seconds < 5, `${right.seconds} s`)
    const wrong = await loadByAutocannon({ ...plan, paths: ['/missing'], headers }, [0], 1)
    t.equal(wrong.errors, wrong.requests)
  },
)
