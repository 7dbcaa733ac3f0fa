/**
 * The key `tracing` of a configuration, and OpenTelemetry's own names in the environment: held together, and made
 * complete. Read by `config.ts`. The configuration wins; OTEL_SDK_DISABLED alone wins over it.
 */
import * as z from 'zod'
import { DEFAULT_TRACING, type TracingOptions } from '../observe/tracing/options.ts'
import type { SiteConfig } from './config-types.ts'
import { pairsOf, readRatio, SAMPLERS } from './tracing-environment.ts'

/** `TracingOptions` without keys that are undefined. */
type Given = { readonly [K in keyof TracingOptions]?: NonNullable<TracingOptions[K]> }
type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_ENDPOINT = 'http://localhost:4318'
const PATH = '/v1/traces'
const NOT_A_URL =
  'is no URL like http://127.0.0.1:4318, without a name or password in it; put those into headers'
/** They belong to the exporter. */
const OWNED = /^(?:host|connection|transfer-encoding|content-(?:type|encoding|length))$/i
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

// No message quotes a value of it.
const headers = z.custom<Record<string, string>>(
  (value) =>
    value !== null &&
    typeof value === 'object' &&
    Object.entries(value).every(([name, text]) => isField(name, text)),
  'has to be names of fields and their values, without those that OTLP sets itself (Content-Type and its like)',
)
const word = z.string().regex(/./, 'is empty')

export const tracingOptions = z.strictObject({
  endpoint: z.string().refine(isEndpoint, NOT_A_URL).optional(),
  headers: headers.optional(),
  serviceName: word.optional(),
  resource: z.record(word, z.string()).optional(),
  sampleRatio: z.number().min(0).max(1).optional(),
  parentBased: z.boolean().optional(),
  keepSlowMs: z.number().min(0).optional(),
  keepErrors: z.boolean().optional(),
  redact: z.array(z.string().regex(/./, 'is empty; name a query parameter')).optional(),
  maxQueuedSpans: z.int().min(1).max(100_000).optional(),
  timeoutMs: z.int().min(1).max(600_000).optional(),
})

export const tracingSchema = z.union([z.literal(false), tracingOptions])

interface Traced {
  readonly site: Pick<SiteConfig, 'tracing' | 'notTraced'>
  /** Of a site that asks for traces itself. */
  readonly problems: readonly string[]
}

/**
 * Null: nothing is told. `redact`: what the access log leaves out. `problems` are what the environment says wrongly,
 * where it is read; values that may be secrets are not in them.
 */
export function tracingOf(
  given: TracingOptions | false | undefined,
  redact: readonly string[],
  env: Environment,
): Traced {
  const set = (name: string): string | undefined => env[name] || undefined
  const isWanted =
    given !== undefined ||
    set('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') !== undefined ||
    set('OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined
  const isOff =
    given === false ||
    set('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' ||
    (given === undefined && set('OTEL_TRACES_EXPORTER') === 'none')
  if (!isWanted || isOff) return { site: { tracing: null, notTraced: [] }, problems: [] }
  const problems: string[] = []
  const known = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  const options: Given = Object.fromEntries(known)
  const attributes = pairsOf('OTEL_RESOURCE_ATTRIBUTES', env, problems)
  const resource = { ...attributes, ...options.resource }
  const tracing = {
    ...DEFAULT_TRACING,
    ...samplingOf(options, env, problems),
    ...options,
    endpoint: endpointOf(options, env, problems),
    headers: options.headers ?? headersOf(env, problems),
    resource,
    serviceName:
      options.serviceName ??
      set('OTEL_SERVICE_NAME') ??
      resource['service.name'] ??
      'unknown_service:uwas',
    redact: [...redact, ...(options.redact ?? [])],
  }
  // The environment may be meant for others: it keeps no site from its start that does not ask for traces itself.
  if (given === undefined && problems.length > 0) {
    return { site: { tracing: null, notTraced: problems }, problems: [] }
  }
  return { site: { tracing, notTraced: [] }, problems }
}

/** That of the environment for traces alone is the whole URL; of the others the path is ours. */
function endpointOf({ endpoint }: Given, env: Environment, problems: string[]): string {
  if (endpoint !== undefined) return withPath(endpoint)
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    const text = env[name]
    if (!text) continue
    if (!isEndpoint(text)) problems.push(`the environment's ${name} ${NOT_A_URL}`)
    else refuseGrpc(env, problems)
    return name.includes('TRACES') || !isEndpoint(text) ? text : withPath(text)
  }
  return withPath(DEFAULT_ENDPOINT)
}

/** The endpoint is one for another protocol then. */
function refuseGrpc(env: Environment, problems: string[]): void {
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    if (!env[name]) continue
    if (env[name] === 'grpc') {
      problems.push(
        `the environment's ${name} is grpc; uwas speaks OTLP by HTTP: name that endpoint (port 4318, as a rule)`,
      )
    }
    return
  }
}

function headersOf(env: Environment, problems: string[]): Record<string, string> {
  const name = env['OTEL_EXPORTER_OTLP_TRACES_HEADERS']
    ? 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'
    : 'OTEL_EXPORTER_OTLP_HEADERS'
  const found = pairsOf(name, env, problems)
  const bad = Object.entries(found).find(([field, value]) => !isField(field, value))
  if (bad === undefined) return found
  problems.push(
    `the environment's ${name}: its part ${Object.keys(found).indexOf(bad[0]) + 1} is no field that a site may set, or its value none`,
  )
  return {}
}

function samplingOf(
  { sampleRatio, parentBased }: Given,
  env: Environment,
  problems: string[],
): { sampleRatio?: number; parentBased?: boolean } {
  const name = env['OTEL_TRACES_SAMPLER']
  if (!name || (sampleRatio !== undefined && parentBased !== undefined)) return {}
  const sampler = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined
  if (sampler === undefined) {
    const known = Object.keys(SAMPLERS).join(', ')
    problems.push(
      `the environment's OTEL_TRACES_SAMPLER is "${name}"; it has to be one of ${known}`,
    )
    return {}
  }
  const ratio = sampler.ratio ?? readRatio(env['OTEL_TRACES_SAMPLER_ARG'], problems)
  return { sampleRatio: ratio, parentBased: sampler.parentBased }
}

function isField(name: string, value: unknown): boolean {
  return (
    FIELD_NAME.test(name) &&
    !OWNED.test(name) &&
    typeof value === 'string' &&
    FIELD_VALUE.test(value)
  )
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, hostname } = new URL(text)
  return /^https?:$/.test(protocol) && hostname !== '' && username === '' && password === ''
}

function withPath(text: string): string {
  const url = new URL(text)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith(PATH) ? path : `${path}${PATH}`
  url.hash = ''
  return url.href
}
