/** The key `accessLog`: what it comes to, and what is refused. */
import t from 'tap'
import { parseConfig } from '../../src/was/config.ts'

const parse = (accessLog: unknown) =>
  parseConfig({ accessLog }, { file: '/site/uwas.config.ts', env: {} }).accessLog

function problems(accessLog: unknown): string[] {
  try {
    parse(accessLog)
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    t.equal(code, 'UWAS_ERR_WAS_CONFIG')
    return message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''))
  }
  return []
}

const complete = {
  file: '/site/logs/access.log',
  format: 'combined',
  redact: [],
  sample: [],
  maxBufferBytes: 4_194_304,
  maxFileBytes: 0,
  maxFileSeconds: 0,
  keepFiles: 10,
}

t.test('it is off, a file, a stream, or an object that says more', async (t) => {
  t.equal(parse(undefined), null)
  t.strictSame(parse('logs/access.log'), complete)
  t.strictSame(parse({ file: 'logs/access.log', format: undefined }), complete)
  t.equal(parse('stdout')?.file, 'stdout')
  t.equal(parse('/var/log/a')?.file, '/var/log/a')
  const more = {
    file: 'stderr',
    format: '$status',
    redact: ['ticket'],
    sample: [{ prefix: '/a', share: 0.5 }],
    maxBufferBytes: 65_536,
    maxFileBytes: 1,
    maxFileSeconds: 2,
    keepFiles: 3,
  }
  t.strictSame(parse(more), more)
})

t.test('mistakes are told with their places', async (t) => {
  t.strictSame(problems(true), [
    'accessLog is true; it has to be a file, "stdout", "stderr", or { file, format, redact, sample, … }',
  ])
  t.strictSame(problems(''), ['accessLog is empty; name a file, or "stdout"'])
  t.strictSame(problems({ file: 'a', formt: 'json' }), [
    'unknown key "accessLog.formt"; did you mean "format"?',
  ])
  t.strictSame(problems({ file: 'a', maxBufferBytes: 1, keepFiles: 0 }), [
    'accessLog.maxBufferBytes is 1; it has to be at least 65536',
    'accessLog.keepFiles is 0; it has to be at least 1',
  ])
  t.strictSame(problems({ file: 'a', sample: [{ share: 0.5 }] }), [
    'accessLog.sample[0] has to have a prefix or a route, one of the two',
  ])
  t.strictSame(problems({ file: 'a', sample: [{ prefix: '/', route: '/', share: 1 }] }), [
    'accessLog.sample[0] has to have a prefix or a route, one of the two',
  ])
  t.strictSame(problems({ file: 'a', sample: [{ prefix: 'a', share: 2 }] }), [
    'accessLog.sample[0].prefix has to start with "/"',
    'accessLog.sample[0].share is 2; it has to be at most 1',
  ])
})
