/**
 * Follows one request through a site without running its code: the same stages in the same order as
 * `server/` and `was/`, and what each of them says. Called by `../explain.ts`.
 */
import { FILE_METHODS } from '../../files/entry.ts'
import { createCors } from '../../http/cors.ts'
import { type HeaderList, withVary } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { securityHeaders } from '../../http/security-headers.ts'
import { parseRequestTarget, type Target } from '../../http/target.ts'
import { refuseMethod } from '../../server/fences.ts'
import { AllowedHosts } from '../../was/allowed-hosts.ts'
import type { SiteConfig } from '../../was/config.ts'
import { describeGuards } from '../../was/guards/describe.ts'
import { tellsHealth } from '../../was/health/paths.ts'
import { compileRedirects, compileRewrites } from '../../was/rules.ts'
import type { Rewritten } from '../../was/site-rules.ts'
import { requestOf } from './ask.ts'
import type { Asked, ExplainedSite, Explanation, LaneFacts, Verdict } from './explanation.ts'
import { explainFile } from './file.ts'
import { explainLane, refuseFraming } from './lane.ts'
import { ERROR_FIELDS, explainUrls, nameOf } from './urls.ts'

type Steps = { stage: string; finding: string }[]

export function explain(site: ExplainedSite, asked: Asked): Explanation {
  const { config } = site
  const { maxBodyBytes, maxViewSeconds, requests: _requests, ...limits } = config.limits
  const lane = explainLane(asked, limits.maxHeaderBytes, site.judge)
  const steps: Steps = [{ stage: 'lane', finding: `${lane.name}: ${lane.because}` }]
  const decided = decide(site, asked, lane, steps)
  const { path } = decided
  const bodyLimit = decided.verdict.options?.maxBodyBytes ?? maxBodyBytes
  const verdict = withinLimit(decided.verdict, asked, bodyLimit)
  const {
    by,
    status,
    summary,
    file = null,
    route = null,
    cache = null,
    hints = [],
    options,
    middleware = [],
  } = verdict
  return {
    method: asked.method,
    url: asked.rawPath + (asked.search === '' ? '' : `?${asked.search}`),
    lane,
    by,
    status,
    summary,
    steps,
    file,
    route,
    cache,
    middleware: runsMiddleware(verdict) ? [...config.middleware, ...middleware].map(nameOf) : [],
    limits: {
      ...limits,
      maxBodyBytes: bodyLimit,
      maxViewMs: options?.timeoutMs ?? maxViewSeconds * 1000,
      shed: verdict.by === 'view' && options?.shed !== false ? limits.shed : null,
    },
    guards: guardsOf(site, asked, verdict, path),
    cors: policyFor(config, path),
    csrf: verdict.csrf ?? 'none',
    compression: compressionOf(config, verdict),
    headers: verdict.headers ?? addUsual(site, asked, verdict, path),
    hints,
  }
}

function decide(
  site: ExplainedSite,
  asked: Asked,
  lane: LaneFacts,
  steps: Steps,
): { verdict: Verdict; path: string } {
  const target = readTarget(site, asked, lane)
  if ('by' in target) return { verdict: target, path: asked.rawPath }
  const ruled = applyRules(site, asked, target, steps)
  if ('by' in ruled) return { verdict: ruled, path: target.path }
  const req = requestOf(asked, ruled.path)
  const isRead = asked.method === 'GET' || asked.method === 'HEAD'
  const entry = isRead ? site.files.lookup(ruled.canonical) : undefined
  if (entry !== undefined) {
    steps.push({ stage: 'files', finding: 'found' })
    const verdict = explainFile(site.files, site.rules, req, ruled.canonical, entry)
    return { verdict, path: ruled.path }
  }
  const none = `not asked: files answer ${FILE_METHODS}`
  steps.push({ stage: 'files', finding: isRead ? 'none at this path' : none })
  const { verdict, finding } = explainUrls(site, req)
  steps.push({ stage: 'URL conf', finding })
  return { verdict, path: ruled.path }
}

/** The path in its canonical form, or why the server answers by itself. */
function readTarget(site: ExplainedSite, asked: Asked, lane: LaneFacts): Target | Verdict {
  const { config } = site
  const { method, rawPath, search, fields } = asked
  const refusal = refuseMethod(method)
  const refuse = (status: number | null, why: string): Verdict => ({
    by: 'refusal',
    status,
    summary: `refused before any rule of the site: ${why}`,
  })
  if (refusal === 501) return refuse(501, `${method} is no method that a site can answer`)
  if (refusal !== 0) return refuse(refusal, `${JSON.stringify(method)} is no method`)
  const framing = refuseFraming(asked, lane, config.limits.maxHeaderBytes)
  if (framing !== undefined) return refuse(framing.status, framing.why)
  const host = fields.get('host') ?? ''
  const { allowedHosts, unknownHosts } = config
  const isOurs = allowedHosts === null || new AllowedHosts(allowedHosts, true).allows(host)
  if (!isOurs && !tellsHealth({ ...site, health: config.health }, rawPath, host)) {
    const why = `the host ${JSON.stringify(host)} is none of allowedHosts`
    if (unknownHosts !== 'close') return refuse(unknownHosts, why)
    return refuse(null, `${why}, and unknownHosts closes the connection without an answer`)
  }
  const bytes = rawPath.length + (search === '' ? 0 : 1 + search.length)
  if (bytes > config.limits.maxUrlBytes) {
    const limit = `limits.maxUrlBytes is ${config.limits.maxUrlBytes}`
    return refuse(414, `path and query have ${bytes} bytes, and ${limit}`)
  }
  const target = parseRequestTarget(rawPath)
  if (target === 400) {
    return refuse(400, 'the path holds bytes that are no UTF-8, or control characters')
  }
  if (target !== 404) return target
  return {
    by: 'notFound',
    status: 404,
    own: ERROR_FIELDS,
    summary: 'never looked up: no path holds empty, "." or ".." parts, "\\" or an encoded "/"',
  }
}

/** A redirect, another path to go on with, or the same. */
function applyRules(
  { config, rules }: ExplainedSite,
  { method, search, fields }: Asked,
  target: Target,
  steps: Steps,
): Verdict | Rewritten {
  const routed = rules?.route(method, target.path, search, fields.get('origin')) ?? null
  const { redirects, rewrites } = config
  if (routed instanceof Reply) {
    const rule = redirects.find((one) => compileRedirects([one])?.(target.path) !== undefined)
    const told = rule === undefined ? '' : `${rule.from} → ${rule.to}`
    steps.push({ stage: 'redirects', finding: told })
    return {
      by: 'redirect',
      status: routed.status,
      summary: `the redirect ${told}`,
      headers: [...(routed.headers ?? []), ...securityHeaders(config.securityHeaders)],
    }
  }
  if (redirects.length > 0) {
    steps.push({ stage: 'redirects', finding: `none of ${redirects.length} fits` })
  }
  const rule = rewrites.find((one) => compileRewrites([one])?.(target.path) !== undefined)
  if (routed !== null && rule !== undefined) {
    const finding = `${rule.from} → ${rule.to}: answered as ${routed.canonical}`
    steps.push({ stage: 'rewrites', finding })
  } else if (rewrites.length > 0) {
    steps.push({ stage: 'rewrites', finding: `none of ${rewrites.length} fits` })
  }
  return routed ?? target
}

/** A body that is too long by its own word is refused in place of whatever would answer but a file or redirect. */
function withinLimit(verdict: Verdict, { fields }: Asked, limit: number): Verdict {
  const length = Number(fields.get('content-length') ?? 0)
  const isRead = verdict.by !== 'refusal' && verdict.by !== 'file' && verdict.by !== 'redirect'
  if (!isRead || !(length > limit)) return verdict
  const { route, options, middleware } = verdict
  const summary = `the body has ${length} bytes, and maxBodyBytes is ${limit}`
  const own = ERROR_FIELDS
  const more = {
    ...(route && { route }),
    ...(options && { options }),
    ...(middleware && { middleware }),
  }
  return { by: 'error', status: 413, summary, own, ...more }
}

/** Files and the server's own refusals leave before any middleware. */
function runsMiddleware({ by }: Verdict): boolean {
  return (
    by !== 'refusal' && by !== 'health' && by !== 'redirect' && by !== 'file' && by !== 'preflight'
  )
}

/** Health is let through, and what is refused has not come so far. */
function guardsOf(
  { config: { access, limits }, files }: ExplainedSite,
  { method, rawPath }: Asked,
  { by, shell = null }: Verdict,
  answered: string,
): string[] {
  if (by === 'refusal' || by === 'health') return []
  const target = parseRequestTarget(rawPath)
  const paths = typeof target === 'number' ? [] : [target.path, answered, ...(shell ? [shell] : [])]
  const names = paths.flatMap(files.namesOf)
  return describeGuards({ access, requests: limits.requests }, method, names)
}

function policyFor({ cors }: SiteConfig, path: string): Explanation['cors'] {
  const [policy] = cors
    .filter((one) => createCors([one])?.fields(path, undefined) !== null)
    .sort((a, b) => (b.prefix ?? '/').length - (a.prefix ?? '/').length)
  if (policy === undefined) return null
  const { prefix = '/', origins } = policy
  return { prefix, origins: typeof origins === 'string' ? origins : origins.join(' ') }
}

function compressionOf({ compression }: SiteConfig, { by, file, headers }: Verdict): string {
  if (by !== 'file') {
    return compression === null
      ? 'off'
      : `from ${compression.minBytes} bytes, as the client accepts`
  }
  if (file !== undefined && file.variants.length > 0) return 'variants, as the client accepts'
  const varies = headers?.some(([name]) => name === 'Vary') ?? false
  return varies ? 'made in the background where it is worth it' : 'none'
}

/** As `was/finish.ts` and the writers do it: a field that is there already stays. */
function addUsual(
  { config, rules }: ExplainedSite,
  { fields }: Asked,
  { by, own = [] }: Verdict,
  path: string,
): HeaderList {
  const shared = by === 'refusal' ? null : rules?.fields(path, fields.get('origin'))
  let list = own
  for (const field of [...(shared?.list ?? []), ...securityHeaders(config.securityHeaders)]) {
    const [name, value] = field
    if (name === 'Vary') list = withVary(list, value)
    else if (!list.some(([other]) => other === name)) list = [...list, field]
  }
  return list
}
