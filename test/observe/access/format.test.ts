/** Lines of the access log: what a record becomes, and what can never stand in one. */
import fc from 'fast-check'
import t from 'tap'
import { compileFormat } from '../../../src/observe/access/format.ts'
import { createRedact } from '../../../src/observe/access/redact.ts'
import type { ExchangeRecord } from '../../../src/observe/exchange-record.ts'
import { recordOf } from '../../support/records.ts'

const TIME = /\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]/

function lineOf(format: string, record: ExchangeRecord, redact: readonly string[] = []): string {
  return compileFormat(format, { redact: createRedact(redact), worker: 3 }).line(record)
}

/** Without its time. */
const untimed = (line: string): string => line.replace(TIME, '[time]')

function refused(format: string): string {
  try {
    lineOf(format, recordOf())
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    t.equal(code, 'UWAS_ERR_OBSERVE_LOG_FORMAT')
    return message
  }
  return ''
}

t.test('common and combined are the lines that every tool reads', async (t) => {
  const record = recordOf({ search: 'a=1', referer: 'http://y/?b', userAgent: 'Mozilla/5.0 (X)' })
  t.match(lineOf('common', record), TIME)
  t.equal(
    untimed(lineOf('common', record)),
    '192.0.2.1 - - [time] "GET /posts/7?a=1 HTTP/1.1" 200 7\n',
  )
  t.equal(
    untimed(lineOf('combined', record)),
    '192.0.2.1 - - [time] "GET /posts/7?a=1 HTTP/1.1" 200 7 "http://y/?b" "Mozilla/5.0 (X)"\n',
  )
})

t.test('what is not known is a dash', async (t) => {
  const nothing = recordOf({ method: '', path: '', host: '', address: '', status: 400 })
  t.equal(untimed(lineOf('combined', nothing)), '- - - [time] "-" 400 7 "-" "-"\n')
})

t.test('JSON has the same keys in every line', async (t) => {
  const record = recordOf({ secure: true, route: '/posts/<int:id>', durationMs: 1.23456 })
  const { time, request_id: id, ...rest } = JSON.parse(lineOf('json', record))
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.equal(id, record.id)
  t.strictSame(rest, {
    remote_addr: '192.0.2.1',
    remote_user: '',
    method: 'GET',
    scheme: 'https',
    host: 'x.test',
    path: '/posts/7',
    query: '',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 7,
    duration_ms: 1.235,
    complete: true,
    route: '/posts/<int:id>',
    referer: '',
    user_agent: '',
    worker: 3,
  })
  const bare = recordOf({ method: '', path: '', isWhole: false, status: 499 })
  t.strictSame(
    Object.keys(JSON.parse(lineOf('json', bare))),
    Object.keys({ ...JSON.parse(lineOf('json', record)) }),
  )
})

t.test("a line of one's own has nginx's variables", async (t) => {
  const record = recordOf({
    search: 'q=1',
    fields: { 'x-a': 'b' },
    durationMs: 1234.5,
    route: '/r',
    referer: 'http://y/',
    userAgent: 'U',
  })
  const cases: [format: string, line: string | RegExp][] = [
    ['$remote_addr', '192.0.2.1'],
    ['$remote_user', '-'],
    ['$time_local', /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/],
    ['$time_iso8601', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/],
    ['$msec', /^\d+\.\d{3}$/],
    ['$request', 'GET /posts/7?q=1 HTTP/1.1'],
    ['$request_method', 'GET'],
    ['$request_uri', '/posts/7?q=1'],
    ['$uri', '/posts/7'],
    ['$args', 'q=1'],
    ['$scheme', 'http'],
    ['$server_protocol', 'HTTP/1.1'],
    ['$host', 'x.test'],
    ['$http_host', 'x.test'],
    ['$status', '200'],
    ['$body_bytes_sent', '7'],
    ['$request_time', '1.234'],
    ['$request_completion', 'OK'],
    ['$request_id', record.id],
    ['$http_referer', 'http://y/'],
    ['$http_user_agent', 'U'],
    ['$http_x_a', 'b'],
    ['$http_x_b', '-'],
    ['$route', '/r'],
    ['$worker', '3'],
    ['$pid', String(process.pid)],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: nginx writes it so
    ['<${status}0> 100% $ $status$status', '<2000> 100% $ 200200'],
  ]
  for (const [format, line] of cases) {
    const given = lineOf(format, record)
    t.ok(given.endsWith('\n'), format)
    if (typeof line === 'string') t.equal(given.slice(0, -1), line, format)
    else t.match(given.slice(0, -1), line, format)
  }
  t.equal(lineOf('$request_completion', recordOf({ isWhole: false })), '-\n')
})

t.test('only what a format names is looked up', async (t) => {
  const needs = (format: string) => {
    const { needsTime, fields } = compileFormat(format, { redact: createRedact([]), worker: 0 })
    return { needsTime, fields }
  }
  t.strictSame(needs('combined'), { needsTime: false, fields: [] })
  t.strictSame(needs('json'), { needsTime: true, fields: [] })
  t.strictSame(needs('$status $request_time'), { needsTime: true, fields: [] })
  t.strictSame(needs('$http_x_forwarded_for $http_user_agent'), {
    needsTime: false,
    fields: ['x-forwarded-for'],
  })
})

t.test('a format that would write nothing, or a secret, is refused', async (t) => {
  t.equal(
    refused('combind'),
    'accessLog.format: "combind" names no variable like $status; did you mean "combined"?',
  )
  t.equal(refused('$statu'), 'accessLog.format: $statu is no variable; did you mean "status"?')
  t.match(refused('a\nb $status'), 'is more than printable ASCII')
  t.match(refused('→ $status'), 'is more than printable ASCII')
  t.match(refused('$http_'), /^accessLog\.format: \$http_ is no variable; known are: args, /)
  t.match(refused('$constructor'), /^accessLog\.format: \$constructor is no variable; known are: /)
  const telling = ['cookie', 'authorization', 'proxy_authorization', 'Cookie', 'x_api_key']
  const alike = ['x_goog_api_key', 'x_amz_security_token', 'x_auth_token', 'x_csrf_token']
  for (const name of [...telling, ...alike]) {
    t.equal(
      refused(`$status $http_${name}`),
      `accessLog.format: $http_${name} would write a secret into the log; leave it out`,
    )
  }
})

t.test('nothing that a client sends ends a line, a quoted part or a JSON string', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\r\n',
      '\u001b[31m',
      '\u2028',
      '안',
      '\ud800',
      '\\x22',
      '\u007f',
    ),
  )
  const record = fc.record({
    method: text,
    path: text,
    search: text,
    host: text,
    address: fc.constantFrom('192.0.2.1', '::1'),
    referer: text,
    userAgent: text,
    route: text,
  })
  fc.assert(
    fc.property(record, (parts) => {
      const own = '"$request" "$http_referer" "$host" "$route" "$args"'
      for (const [format, quotes] of [
        ['combined', 6],
        [own, 10],
      ] as const) {
        const line = lineOf(format, recordOf(parts))
        if (!/^[\x20-\x7e]+\n$/.test(line)) return false
        if (line.split('"').length - 1 !== quotes) return false
      }
      const line = lineOf('json', recordOf(parts))
      if (!/^[\x20-\x7e]+\n$/.test(line)) return false
      const { method, host, user_agent } = JSON.parse(line)
      return method === parts.method && host === parts.host && user_agent === parts.userAgent
    }),
    { numRuns: 300 },
  )
})

t.test('the values of telling parameters are not written, nor is who asks a proxy', async (t) => {
  const shown = (search: string, redact: readonly string[] = []): string =>
    lineOf('$args', recordOf({ search }), redact).slice(0, -1)
  t.equal(shown('a=1&token=abc&b=2'), 'a=1&token=***&b=2')
  t.equal(
    shown('access_token=a&Access-Token=b&ACCESSTOKEN=c'),
    'access_token=***&Access-Token=***&ACCESSTOKEN=***',
  )
  t.equal(
    shown('user[password]=a&user.password=b&p%61ssword=c'),
    'user[password]=***&user.password=***&p%61ssword=***',
  )
  t.equal(shown('ticket=a&Ticket=b', ['ticket']), 'ticket=***&Ticket=***')
  t.equal(shown('token&x=%zz&%zz=1&=&'), 'token&x=%zz&%zz=1&=&')
  t.equal(shown('password=a=b'), 'password=***')
  t.equal(
    lineOf('$http_referer', recordOf({ referer: 'http://y/a?token=abc&b#c?token=d' })),
    'http://y/a?token=***&b#c?token=d\n',
  )
  const asked = recordOf({ path: 'http://ann:secret@y/a', search: 'b', referer: 'ftp://ann:pw@y' })
  t.equal(lineOf('$request', asked), 'GET http://***@y/a?b HTTP/1.1\n')
  t.equal(lineOf('$uri', asked), 'http://***@y/a\n')
  t.notMatch(lineOf('json', asked), /secret|pw/)
  t.notMatch(lineOf('combined', asked), /secret|pw/)
})

t.test('the referer has no secrets, however its variable is spelled', async (t) => {
  const record = recordOf({ referer: 'https://u:p@x/?token=abc&a=1' })
  for (const name of ['$http_referer', '$http_Referer', '$http_REFERER']) {
    t.equal(lineOf(name, record), 'https://***@x/?token=***&a=1\n', name)
  }
})

t.test('texts of one length do not stand for each other', async (t) => {
  for (const agent of ['aa', 'bb', 'a"', '"a', 'aa', '\u00e9b']) {
    const escaped = agent.replaceAll('"', '\\x22').replaceAll('\u00e9', '\\xC3\\xA9')
    t.equal(lineOf('$http_user_agent', recordOf({ userAgent: agent })), `${escaped}\n`)
  }
  const long = `${'x'.repeat(300)}"`
  t.equal(lineOf('$http_user_agent', recordOf({ userAgent: long })), `${'x'.repeat(300)}\\x22\n`)
})
