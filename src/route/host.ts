/**
 * `host()`: the URLs of a host, or of every host of a pattern. Runs once, at start; its mistakes are thrown
 * here, with the line that holds them.
 */
import { createError } from '../core/errors.ts'
import type { Converters } from './converters.ts'
import { checkMiddleware, checkName, refuseUnknown } from './declaration.ts'
import type { IncludeEntry, IncludeOptions, NamesOfInclude, UrlConf } from './entry.ts'
import { parseHost } from './host-pattern.ts'
import type { Empty, ParamsOf, Simplify, ValidPattern } from './pattern-types.ts'
import { capturePlace, formatPlace } from './place.ts'
import { markIncluded } from './reverse.ts'

/** `host` as it is for given converters and parameters of an including prefix. */
export type HostFunction<C extends Converters, Outer> = <
  const Host extends string,
  Names,
  const Space extends string = never,
>(
  pattern: Host & ValidPattern<Host, C>,
  conf: UrlConf<Names, Simplify<Outer & ParamsOf<Host, C>>>,
  options?: IncludeOptions<Space>,
) => IncludeEntry<NamesOfInclude<Names, Space, ParamsOf<Host, C>>>

/**
 * All URLs of another URL conf, at one host or at each of a pattern:
 *
 *     urlconf(
 *       host('admin.example.org', admin),
 *       host('<slug:tenant>.example.org', shop),     // req.params.tenant; url('cart', { tenant })
 *       host('*.example.org', others),               // one label or more, not example.org itself
 *       path('/', home),                             // every host
 *     )
 *
 * The host is that of `req.client`, compared without port, dot at its end and case (RFC 9110 section 4.2.3).
 * Whatever the order of declaration, an exact host is asked first, then patterns from the narrowest, then what
 * stands under no host; a path that the one does not know is looked for in the next. A parameter is one label,
 * by the converters of `path()`. `reverse` gives `//host/path`, with the port if the pattern has one; under `*`,
 * which is no one host, the path alone. Static files answer at every host.
 *
 * Throws UWAS_ERR_ROUTE_HOST (also for a host under another one, by compileUrls), and what `include` throws.
 */
export const host: HostFunction<Empty, Empty> = hostWith({})

/** `host` for patterns with these converters. */
export function hostWith<C extends Converters, Outer>(scope: C): HostFunction<C, Outer> {
  function host(pattern: string, conf: UrlConf, options: IncludeOptions = {}): IncludeEntry {
    const place = capturePlace(host)
    const at = formatPlace(place)
    const where = `host("${pattern}") at ${at}`
    refuseUnknown(where, options, ['namespace', 'middleware'])
    checkMiddleware(where, options.middleware)
    checkName(where, 'namespace', options.namespace)
    if (!Array.isArray(conf?.entries)) {
      throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
        where,
        problem: `takes a URL conf made by urlconf(), not ${String(conf)}`,
      })
    }
    const parsed = parseHost(pattern, at, scope)
    markIncluded(conf, pattern)
    return Object.freeze({
      kind: 'include',
      pattern: '',
      segments: [],
      host: parsed,
      namespace: options.namespace,
      middleware: options.middleware ?? [],
      conf,
      place,
    })
  }
  return host as unknown as HostFunction<C, Outer>
}
