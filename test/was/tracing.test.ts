/** The key `tracing`, and OpenTelemetry's own names in the environment. */
import t from 'tap'
import { parseConfig } from '../../src/was/config.ts'

type Env = Record<string, string>

const parse = (raw: unknown, env: Env = {}) =>
  parseConfig(raw, { file: '/site/uwas.config.ts', env }).tracing

const BASE = 'OTEL_EXPORTER_OTLP_ENDPOINT'
const WHOLE = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'

t.test('without a key and without an endpoint in the environment nothing is traced', async (t) => {
  t.equal(parse({}), null)
  t.equal(parse({}, { OTEL_SERVICE_NAME: 'shop', [BASE]: '' }), null)
  t.equal(parse({ tracing: false }, { [BASE]: 'http://a:4318' }), null)
  t.equal(parse({ tracing: {} }, { OTEL_SDK_DISABLED: 'TRUE' }), null)
  t.equal(parse({}, { [BASE]: 'http://a:4318', OTEL_TRACES_EXPORTER: 'none' }), null)
  t.not(parse({ tracing: {} }, { OTEL_SDK_DISABLED: 'false' }), null)
})

t.test('defaults, and what the configuration says', async (t) => {
  t.strictSame(parse({ tracing: {} }), {
    endpoint: 'http://localhost:4318/v1/traces',
    headers: {},
    serviceName: 'unknown_service:uwas',
    resource: {},
    sampleRatio: 1,
    parentBased: true,
    keepSlowMs: 1000,
    keepErrors: true,
    redact: [],
    maxQueuedSpans: 2048,
    timeoutMs: 10_000,
  })
  t.match(parse({ tracing: { redact: ['a'] }, accessLog: { file: 'x', redact: ['b'] } }), {
    redact: ['b', 'a'],
  })
})

t.test('the path of an endpoint is put behind it, but for the one that is whole', async (t) => {
  const cases: [key: string | undefined, env: Env, endpoint: string][] = [
    ['http://a:4318', {}, 'http://a:4318/v1/traces'],
    ['http://a:4318/', {}, 'http://a:4318/v1/traces'],
    ['https://a/otlp/', {}, 'https://a/otlp/v1/traces'],
    ['https://a/v1/traces', {}, 'https://a/v1/traces'],
    ['https://a/x?y=1', {}, 'https://a/x/v1/traces?y=1'],
    [undefined, { [BASE]: 'http://b:4318' }, 'http://b:4318/v1/traces'],
    [undefined, { [WHOLE]: 'http://c/x', [BASE]: 'http://b' }, 'http://c/x'],
    ['http://a', { [WHOLE]: 'http://c/x', [BASE]: 'http://b' }, 'http://a/v1/traces'],
  ]
  for (const [endpoint, env, expected] of cases) {
    t.equal(parse({ tracing: { endpoint } }, env)?.endpoint, expected)
  }
})

t.test('the environment says what the configuration does not', async (t) => {
  const env = {
    [BASE]: 'http://b',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b, x=1',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=by-attribute,deployment.environment.name=staging',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  }
  t.match(parse({}, env), {
    headers: { 'api-key': 'a b', x: '1' },
    serviceName: 'by-attribute',
    resource: { 'deployment.environment.name': 'staging' },
    sampleRatio: 0.25,
    parentBased: false,
  })
  t.equal(parse({}, { ...env, OTEL_SERVICE_NAME: 'shop' })?.serviceName, 'shop')
  t.match(parse({}, { ...env, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'y=2' }), { headers: { y: '2' } })
  const own = {
    serviceName: 'own',
    sampleRatio: 0.5,
    headers: { z: '3' },
    resource: { 'deployment.environment.name': 'live' },
  }
  const both = parse({ tracing: own }, { ...env, OTEL_SERVICE_NAME: 'shop' })
  t.match(both, { ...own, parentBased: false })
  t.strictSame(both?.headers, { z: '3' })
  const samplers: [name: string, ratio: number, parentBased: boolean][] = [
    ['always_on', 1, false],
    ['always_off', 0, false],
    ['parentbased_always_on', 1, true],
    ['parentbased_always_off', 0, true],
    ['parentbased_traceidratio', 0.25, true],
  ]
  for (const [name, sampleRatio, parentBased] of samplers) {
    t.match(parse({}, { ...env, OTEL_TRACES_SAMPLER: name }), { sampleRatio, parentBased })
  }
})

t.test('what is wrong is told with its place, and secrets are not', async (t) => {
  const cases: [raw: unknown, env: Env, told: RegExp][] = [
    [{ tracing: true }, {}, /tracing is true; it has to be \{ endpoint, headers/],
    [{ tracing: { endpoin: 'x' } }, {}, /unknown key "tracing.endpoin".*"endpoint"/],
    [{ tracing: { endpoint: 'collector' } }, {}, /tracing.endpoint is no URL like http:/],
    [{ tracing: { endpoint: 'ftp://a' } }, {}, /tracing.endpoint is no URL like http:/],
    [{ tracing: { endpoint: 'http://u:secret@a' } }, {}, /put those into headers/],
    [{ tracing: { headers: { 'a b': 'secret' } } }, {}, /tracing.headers has to be names/],
    [{ tracing: { headers: { a: 'secret\n' } } }, {}, /tracing.headers has to be names/],
    [{ tracing: { headers: { 'Content-Type': 'secret' } } }, {}, /that OTLP sets itself/],
    [{ tracing: { sampleRatio: 2 } }, {}, /tracing.sampleRatio is 2; it has to be at most 1/],
    [{ tracing: { maxQueuedSpans: 0 } }, {}, /tracing.maxQueuedSpans is 0/],
    [{ tracing: {} }, { [BASE]: 'a:4318' }, /environment's OTEL_EXPORTER_OTLP_ENDPOINT is no URL/],
    [
      { tracing: {} },
      { [BASE]: 'http://a:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      /OTEL_EXPORTER_OTLP_PROTOCOL is grpc; uwas speaks OTLP by HTTP/,
    ],
    [
      { tracing: {} },
      { OTEL_TRACES_SAMPLER: 'xray' },
      /OTEL_TRACES_SAMPLER is "xray"; it has to be one of always_on/,
    ],
    [
      { tracing: {} },
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      /OTEL_TRACES_SAMPLER_ARG is "2"; it has to be a number from 0 to 1/,
    ],
    [
      { tracing: {} },
      { OTEL_EXPORTER_OTLP_HEADERS: 'a=1,secret' },
      /OTEL_EXPORTER_OTLP_HEADERS: its part 2 is not name=value/,
    ],
    [
      { tracing: {} },
      { OTEL_EXPORTER_OTLP_HEADERS: 'a=secret%0a' },
      /OTEL_EXPORTER_OTLP_HEADERS: its part 1 is no field/,
    ],
    [
      { tracing: {} },
      { OTEL_RESOURCE_ATTRIBUTES: 'a=%zz' },
      /OTEL_RESOURCE_ATTRIBUTES: its part 1 is not name=value/,
    ],
  ]
  for (const [raw, env, told] of cases) {
    const error = t.throws(() => parse(raw, env), { code: 'UWAS_ERR_WAS_CONFIG', message: told })
    t.notMatch((error as Error).message, /secret/)
  }
})

t.test('an environment that asks alone and cannot be read keeps no site from its start', (t) => {
  for (const [env, told] of [
    [{ [BASE]: 'collector:4317' }, /OTEL_EXPORTER_OTLP_ENDPOINT is no URL/],
    [{ [BASE]: 'http://a:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /is grpc/],
    [{ [BASE]: 'http://a:4318', OTEL_TRACES_SAMPLER: 'xray' }, /SAMPLER is "xray"/],
  ] as const) {
    const config = parseConfig({}, { file: '/site/uwas.config.ts', env })
    t.equal(config.tracing, null)
    t.match(config.notTraced.join(), told)
  }
  t.end()
})
