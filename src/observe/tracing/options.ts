/** How a site tells of its requests as OpenTelemetry traces: the options of `tracing`, as their author writes them and complete. */

/** Spans of requests, sent by OTLP/HTTP in JSON. What is not said here is taken from the environment's OTEL_ names. */
export interface TracingOptions {
  /**
   * Of the collector, http or https; `/v1/traces` is put behind it unless it ends so. Default
   * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT, else `http://localhost:4318`.
   */
  readonly endpoint?: string | undefined
  /** Fields that it wants, with secrets from the environment. Default OTEL_EXPORTER_OTLP_TRACES_HEADERS, _HEADERS, else none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** What the site is called there. Default OTEL_SERVICE_NAME, else `unknown_service:uwas`. */
  readonly serviceName?: string | undefined
  /** What else is true of this server: `{ 'deployment.environment.name': 'staging' }`. Added to OTEL_RESOURCE_ATTRIBUTES. */
  readonly resource?: Readonly<Record<string, string>> | undefined
  /** The part of the traces that begin here, 0 to 1. Default OTEL_TRACES_SAMPLER_ARG, else 1. */
  readonly sampleRatio?: number | undefined
  /** Whether a caller's traceparent decides for its own traces. Default true, unless OTEL_TRACES_SAMPLER says otherwise. */
  readonly parentBased?: boolean | undefined
  /** Requests whose reply took so long are told although they were not sampled, in milliseconds; 0: none. Default 1000. */
  readonly keepSlowMs?: number | undefined
  /** Whether those that failed (5xx, broken off by the server) are. Default true. */
  readonly keepErrors?: boolean | undefined
  /** Names of query parameters whose values are not told, besides those of `accessLog.redact` and their like. Default none. */
  readonly redact?: readonly string[] | undefined
  /** Spans that wait for the collector at most; more are dropped and counted. Default 2048. */
  readonly maxQueuedSpans?: number | undefined
  /** Longest time of one export, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined
}

/** `TracingOptions`, complete. */
export interface SiteTracing {
  /** The whole URL. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly resource: Readonly<Record<string, string>>
  readonly sampleRatio: number
  readonly parentBased: boolean
  readonly keepSlowMs: number
  readonly keepErrors: boolean
  /** Those of `accessLog` among them. */
  readonly redact: readonly string[]
  readonly maxQueuedSpans: number
  readonly timeoutMs: number
}

export const DEFAULT_TRACING: Omit<
  SiteTracing,
  'endpoint' | 'headers' | 'serviceName' | 'resource' | 'redact'
> = {
  sampleRatio: 1,
  parentBased: true,
  keepSlowMs: 1000,
  keepErrors: true,
  maxQueuedSpans: 2048,
  timeoutMs: 10_000,
}
