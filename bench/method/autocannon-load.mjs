/** One load by autocannon: the plan's file comes as an argument, the result leaves as JSON. Run by autocannon.ts. */
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { origin, paths, headers, connections, pipelined = 1, seconds } = plan

const result = await autocannon({
  url: origin,
  connections,
  duration: seconds,
  pipelining: pipelined,
  headers,
  requests: paths.map((path) => ({ method: 'GET', path })),
  tlsOptions: { rejectUnauthorized: false },
})

process.stdout.write(
  JSON.stringify({
    requests: result.requests.total,
    seconds: result.duration,
    errors: result.errors + result['1xx'] + result['4xx'] + result['5xx'],
    latencyMs: { p50: result.latency.p50, p99: result.latency.p99 },
  }),
)
