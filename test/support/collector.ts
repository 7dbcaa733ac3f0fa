/**
 * A collector of OpenTelemetry traces: takes OTLP/HTTP in JSON, holds each request against the protocol's own message
 * definitions, and keeps the spans. For tests.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { Test } from 'tap'

type Json = Record<string, unknown>

/** As they came; `attributes` without the protocol's wrapping. */
export interface ToldSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Record<string, string | number | boolean>
  readonly status: { readonly code?: number }
  readonly droppedAttributesCount?: number
  readonly resource: Record<string, string | number | boolean>
}

export interface Collector {
  /** Of it, without a path. */
  readonly url: string
  readonly spans: ToldSpan[]
  /** Requests, with what was wrong with them. */
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly path: string }[]
  readonly problems: string[]
  /** Answers in place of 200; undefined: as a collector does. */
  answer: ((res: ServerResponse) => unknown) | undefined
  /** Resolves to all spans once `isThere` says so, or when that takes too long. */
  wait(isThere: (spans: readonly ToldSpan[]) => boolean): Promise<readonly ToldSpan[]>
  close(): Promise<void>
}

interface MessageType {
  fromObject(object: Json): unknown
  toObject(message: unknown, options: Json): Json
}

const root = createRequire(import.meta.url)(
  '../../node_modules/@opentelemetry/otlp-transformer/build/src/generated/root.js',
) as {
  opentelemetry: {
    proto: { collector: { trace: { v1: { ExportTraceServiceRequest: MessageType } } } }
  }
}
const Message = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest

const IDS = new Set(['traceId', 'spanId', 'parentSpanId'])

/** OTLP writes ids in hexadecimal where protobuf's JSON has base64. */
function mapIds(value: unknown, from: BufferEncoding, to: BufferEncoding): unknown {
  if (Array.isArray(value)) return value.map((one) => mapIds(one, from, to))
  if (value === null || typeof value !== 'object') return value
  const pairs = Object.entries(value).map(([key, inner]) => [
    key,
    IDS.has(key) && typeof inner === 'string'
      ? Buffer.from(inner, from).toString(to)
      : mapIds(inner, from, to),
  ])
  return Object.fromEntries(pairs)
}

/** Keys in order, so that two objects can be compared as text. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)]),
  )
}

/** What the definitions do not know, or know as another type, is lost or changed on the way through them. */
export function problemOf(request: Json): string | null {
  const message = Message.fromObject(mapIds(request, 'hex', 'base64') as Json)
  const again = Message.toObject(message, {
    longs: String,
    enums: Number,
    bytes: String,
    json: true,
  })
  const expected = JSON.stringify(ordered(request))
  const found = JSON.stringify(ordered(mapIds(again, 'base64', 'hex')))
  return expected === found ? null : `told\n${expected}\nunderstood\n${found}`
}

export async function collectorOf(t: Test, port = 0): Promise<Collector> {
  const server = createServer((req, res) => {
    void take(req, res)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: [],
    problems: [],
    answer: undefined,
    async wait(isThere) {
      for (let i = 0; i < 3000 && !isThere(collector.spans); i++) await sleep(5)
      return collector.spans
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const body = gunzipSync(Buffer.concat(await req.toArray()))
      collector.requests.push({ headers: req.headers, path: req.url ?? '' })
      if (collector.answer !== undefined) return void collector.answer(res)
      keep(collector, JSON.parse(body.toString()) as Json)
    } catch (error) {
      collector.problems.push(String(error))
    }
    res.setHeader('Content-Type', 'application/json').end('{"partialSuccess":{}}')
  }
  t.teardown(() => collector.close())
  return collector
}

function keep(collector: Collector, request: Json): void {
  const problem = problemOf(request)
  if (problem !== null) collector.problems.push(problem)
  // biome-ignore lint/suspicious/noExplicitAny: it has just been held against its definition
  for (const { resource, scopeSpans } of request['resourceSpans'] as any[]) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        collector.spans.push({
          ...span,
          startMs: Number(span.startTimeUnixNano) / 1e6,
          endMs: Number(span.endTimeUnixNano) / 1e6,
          attributes: plain(span.attributes),
          resource: plain(resource.attributes),
        })
      }
    }
  }
}

function plain(attributes: readonly { key: string; value: Json }[] = []): ToldSpan['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [kind, inner] = Object.entries(value)[0] as [string, string | boolean | number]
      return [key, kind === 'intValue' || kind === 'doubleValue' ? Number(inner) : inner]
    }),
  )
}
