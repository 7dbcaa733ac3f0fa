/** How OpenTelemetry writes lists and samplers into the environment. Read by `tracing.ts`. */

interface Sampler {
  /** Null: OTEL_TRACES_SAMPLER_ARG says it. */
  readonly ratio: number | null
  readonly parentBased: boolean
}

/** Those of the specification that need nobody else ("Environment Variable Specification", general). */
export const SAMPLERS: Readonly<Record<string, Sampler>> = {
  always_on: { ratio: 1, parentBased: false },
  always_off: { ratio: 0, parentBased: false },
  traceidratio: { ratio: null, parentBased: false },
  parentbased_always_on: { ratio: 1, parentBased: true },
  parentbased_always_off: { ratio: 0, parentBased: true },
  parentbased_traceidratio: { ratio: null, parentBased: true },
}

/** Default 1. */
export function readRatio(text: string | undefined, problems: string[]): number {
  if (!text) return 1
  const ratio = /^\d*\.?\d+$|^\d+\.$/.test(text) ? Number(text) : Number.NaN
  if (ratio >= 0 && ratio <= 1) return ratio
  problems.push(
    `the environment's OTEL_TRACES_SAMPLER_ARG is "${text}"; it has to be a number from 0 to 1`,
  )
  return 1
}

/** `key=value,key=value`, values percent-encoded (W3C Baggage). What stands there may be a secret, and is not told. */
export function pairsOf(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [i, part] of (env[name] ?? '').split(',').entries()) {
    if (part.trim() === '') continue
    const equals = part.indexOf('=')
    const key = part.slice(0, Math.max(0, equals)).trim()
    const value = decoded(part.slice(equals + 1).trim())
    if (key === '' || value === null) {
      problems.push(
        `the environment's ${name}: its part ${i + 1} is not name=value, percent-encoded`,
      )
    } else found[key] = value
  }
  return found
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
