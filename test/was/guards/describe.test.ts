import t from 'tap'
import { describeGuards } from '../../../src/was/guards/describe.ts'

const RULES = {
  access: [
    { path: '/admin/*', allow: ['private'], basicAuth: { users: { mara: 'x' } } },
    { deny: ['192.0.2.1'] },
  ],
  requests: [
    { requests: 5, perSeconds: 60 },
    {
      path: '/api/*',
      methods: ['POST'],
      requests: 1,
      perSeconds: 1,
      burst: 3,
      key: { header: 'X-Key' },
      maxDelayMs: 9,
      dryRun: true,
    },
  ],
}

t.test('the guards of a request in words, in their order', async (t) => {
  const site = [
    'access[1], all paths: not from 192.0.2.1',
    'limits.requests[0], all paths: 5 in 60 s, 5 at once, by address',
  ]
  const admin = 'access[0], /admin/*: only from private; a name and a password, of 1'
  const api =
    'limits.requests[1], /api/*: 1 in 1 s, 3 at once, by the field X-Key; what is more waits up to 9 ms; counted only (dryRun)'
  t.strictSame(describeGuards(RULES, 'GET', ['/admin']), [admin, ...site])
  t.strictSame(describeGuards(RULES, 'GET', ['/back', '/admin/a']), [admin, ...site])
  t.strictSame(describeGuards(RULES, 'POST', ['/api/a']), [...site, api])
  t.strictSame(describeGuards(RULES, 'GET', ['/api/a']), site)
  t.strictSame(describeGuards(RULES, 'GET', []), site, 'a path that nothing has')
  t.strictSame(describeGuards({ access: [], requests: [] }, 'GET', ['/']), [])
})
