import t from 'tap'
import type { EngineRequest } from '../../src/server/engine-types.ts'
import { asksToClose, isHost, refuseFields, refuseMethod } from '../../src/server/fences.ts'
import { FieldScan } from '../../src/server/native-scan.ts'

t.test('Host is a name, an IPv4 or a bracketed IPv6 address, with a port or without', async (t) => {
  for (const host of [
    'a',
    'example.com',
    'example.com:8080',
    'x_y.test',
    '127.0.0.1:1',
    '[::1]',
    '[::1]:80',
    '[::]',
    '[2001:DB8:0:1::F00d]:8443',
    '[1:2:3:4:5:6:7:8]',
    '[::ffff:192.0.2.1]',
    'a:',
    '%41b',
  ]) {
    t.ok(isHost(host), host)
  }
  for (const host of [
    '',
    'a b',
    'a/b',
    'a@b',
    'a:b',
    'a:123456',
    '[::1',
    '::1',
    '[x]',
    '[....]',
    '[....]:80',
    '[::::]',
    '[1:2]',
    '[1.2.3.4]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1::2::3]',
    '[12345::]',
    '[::ffff:256.0.0.1]',
    '[fe80::1%eth0]',
    '[fe80::1%25eth0]',
    '[v7.abc]',
    '[]',
    '[::1]x',
    '[::1]:123456',
    'a%4',
    'ä',
  ]) {
    t.notOk(isHost(host), host)
  }
})

t.test('methods are known, unknown or no tokens', async (t) => {
  t.equal(refuseMethod('GET'), 0)
  t.equal(refuseMethod('DELETE'), 0)
  t.equal(refuseMethod('BREW'), 501)
  t.equal(refuseMethod('get'), 501)
  t.equal(refuseMethod('TRACE'), 501)
  t.equal(refuseMethod('G\u00c4T'), 400)
  t.equal(refuseMethod(''), 400)
})

const scanOf = (fields: readonly [name: string, value: string][]): FieldScan => {
  const scan = new FieldScan()
  const forEach: EngineRequest['forEach'] = (visit) => {
    for (const [name, value] of fields) visit(name, value)
  }
  scan.read({ forEach } as EngineRequest)
  return scan
}

t.test('fields are judged by framing first', async (t) => {
  const host: [string, string] = ['host', 'x']
  const cases: [fields: [string, string][], refusal: number, why: string][] = [
    [[host], 0, 'Host alone'],
    [[host, ['content-length', '12']], 0, 'a length'],
    [[host, ['content-length', '']], 400, 'an empty length'],
    [
      [host, ['content-length', ''], ['content-length', '5']],
      400,
      'an empty length before another',
    ],
    [[host, ['content-length', '+1']], 400, 'a signed length'],
    [[host, ['content-length', '1, 1']], 400, 'a list of lengths'],
    [[host, ['content-length', '1'], ['content-length', '1']], 400, 'two lengths'],
    [[host, ['content-length', '9'.repeat(16)]], 400, 'a length beyond exact numbers'],
    [[host, ['transfer-encoding', '']], 411, 'an empty transfer coding'],
    [[host, ['transfer-encoding', 'chunked'], ['content-length', '5']], 411, 'both'],
    [[], 400, 'no Host'],
    [[host, host], 400, 'two Hosts'],
    [[['host', '']], 400, 'an empty Host'],
    [[['host', 'a/b']], 400, 'a Host with a path'],
  ]
  for (const [fields, refusal, why] of cases)
    t.equal(refuseFields(scanOf(fields), ''), refusal, why)
  t.equal(refuseFields(scanOf([host]), 'x'), 0, 'a Host that is known to be good')
})

t.test('a scan joins lists, tells empty from absent, and forgets the request before', async (t) => {
  const scan = scanOf([
    ['if-none-match', '"a"'],
    ['accept', 'x'],
    ['if-none-match', '"b"'],
    ['connection', 'keep-alive'],
    ['connection', 'close'],
    ['if-modified-since', 'then'],
    ['content-length', ''],
  ])
  t.match(scan, {
    ifNoneMatch: '"a", "b"',
    connection: 'keep-alive, close',
    ifModifiedSince: 'then',
    contentLengths: 1,
  })
  scan.read({ forEach: () => {} } as unknown as EngineRequest)
  t.match(scan, {
    ifNoneMatch: '',
    connection: '',
    ifModifiedSince: '',
    contentLengths: 0,
    hosts: 0,
  })
})

t.test('close is found anywhere in a Connection field', async (t) => {
  for (const value of ['close', 'Close', 'keep-alive, close', ' close ,te'])
    t.ok(asksToClose(value), value)
  for (const value of ['', 'keep-alive', 'Keep-Alive', 'closed', 'te, upgrade'])
    t.notOk(asksToClose(value), value)
})
