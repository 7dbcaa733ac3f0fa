/**
 * `uwas check`: proves a site before it starts. Gets the flags; prints every problem with its place and
 * leaves exit code 1, or a summary and 0. Called by `cli.ts`.
 */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { openBackends } from '../app.ts'
import { withCode } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createPrivateFiles } from '../files/send-file.ts'
import { TrustedProxies } from '../http/forwarded.ts'
import { Networks } from '../http/networks.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { Signer } from '../http/signing.ts'
import { loadNative } from '../native/load.ts'
import { LOG_STREAMS } from '../observe/access/options.ts'
import { checkUrls } from '../route/check.ts'
import { compileUrls } from '../route/compile.ts'
import { formatPlace } from '../route/place.ts'
import { ProxySenders } from '../server/proxy-senders.ts'
import { Certificates } from '../server/tls/certificates.ts'
import { describeEnd, isEnding } from '../server/tls/expiry.ts'
import { createTemplates, linkFolder } from '../template/templates.ts'
import type { SiteConfig } from '../was/config.ts'
import { csrfRuleOf } from '../was/csrf/guard.ts'
import { createErrorPages } from '../was/error-pages.ts'
import { finishing } from '../was/finish.ts'
import { PARTIALS } from '../was/forms/partials.ts'
import { siteGuards } from '../was/guards/site-guards.ts'
import { PAGE_TAG_NAMES } from '../was/page-tags.ts'
import { createSiteRules } from '../was/site-rules.ts'
import { HELPER_NAMES } from '../was/static-url.ts'
import { templateUrls } from '../was/template-urls.ts'
import { checkAcme } from './check-acme.ts'
import { checkData } from './check-data.ts'
import { type Findings, part } from './check-findings.ts'
import { checkTracing } from './check-tracing.ts'
import { count } from './count.ts'
import { createCommandLog } from './log.ts'
import { checkServes, loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'
import { checkTemplateData } from './template-data/check.ts'
import { refusedChoices } from './template-data/choices.ts'
import { staticTags } from './template-data/static-references.ts'

export async function checkCommand(flags: SiteFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  const findings: Findings = { problems: [], warnings: [], notes: [], proved: [], references: [] }
  await part(findings, () => checkServes(config))
  await part(findings, () => checkLanes(findings))
  await part(findings, () => checkRoutes(config, findings))
  await part(findings, () => checkTemplates(config, findings))
  await part(findings, () => void createSiteRules(config))
  await part(findings, () => void securityHeaders(config.securityHeaders))
  await part(findings, () => checkSecrets(config))
  await part(findings, () => checkCertificates(config, findings))
  await part(findings, () => checkProxies(config, findings))
  await part(findings, () => checkGuards(config))
  await part(findings, () => checkObserved(config, findings))
  await part(findings, () => checkConnections(config, findings))
  await part(findings, () => checkShed(config, findings))
  await part(findings, () => void createErrorPages({ log, files: config.errorPages }))
  await part(findings, () => void createPrivateFiles(loadNative(), config.privateFiles))
  await part(findings, () => checkTracing(config, findings))
  await part(findings, () => checkFiles(config, log, findings))
  await part(findings, () => checkData(config, log, findings))
  const { problems, warnings, proved } = findings
  for (const note of findings.notes) log.info(note)
  for (const warning of warnings) log.warn(warning)
  for (const problem of problems) log.error(problem)
  const name = showPath(config.file ?? config.root)
  if (problems.length > 0) {
    log.info(`${name}: ${count(problems.length, 'problem')}`)
    return 1
  }
  log.info(`${name} is fine: ${proved.join(', ')}`)
  return 0
}

function checkSecrets({ secrets }: SiteConfig): void {
  if (secrets.length > 0) new Signer(secrets)
}

async function checkCertificates(config: SiteConfig, findings: Findings): Promise<void> {
  const { tls } = config
  if (tls === null) return
  const { all } = await Certificates.load(tls.certificates, tls.policy)
  const now = Date.now()
  for (const one of all) {
    findings.warnings.push(...one.warnings)
    const end = `${one.file} ${describeEnd(one, now)}`
    if (isEnding(one, now)) findings.warnings.push(`renew the certificate ${end}`)
    else findings.notes.push(`the certificate ${end}`)
  }
  const missing = (tls.acme?.names ?? []).filter((name) => !all.some((one) => one.covers(name)))
  await checkAcme(config, missing, findings)
  findings.proved.push(count(all.length, 'certificate'))
}

function checkProxies({ trustedProxies, proxyProtocol }: SiteConfig, { warnings }: Findings): void {
  if (proxyProtocol !== null) new ProxySenders(proxyProtocol)
  if (proxyProtocol !== null && loadNative().gate === null) {
    warnings.push('proxyProtocol: without the addon it is understood on the port for TLS alone')
  }
  if (trustedProxies !== null) new TrustedProxies(trustedProxies)
}

function checkGuards(config: SiteConfig): void {
  const errorPages = createErrorPages({ log: createCommandLog() })
  const finish = finishing(null, null)
  siteGuards(config, { rules: null, errorPages, finish, namesOf: (path) => [path] })
}

/** Whom the status listener tells, and whether the access log could be written. */
function checkObserved({ status, accessLog }: SiteConfig, { warnings, problems }: Findings): void {
  if (status !== null && status.token === null && !isLoopback(status.host)) {
    warnings.push(
      `status.listen is ${status.host}, which others may reach, without a token: give it status.token, or listen on 127.0.0.1`,
    )
  }
  if (accessLog === null || Object.hasOwn(LOG_STREAMS, accessLog.file)) return
  const { file } = accessLog
  const at = existsSync(file) ? file : dirname(file)
  try {
    accessSync(at, constants.W_OK)
  } catch (error) {
    problems.push(
      `accessLog.file is ${showPath(file)}, which cannot be written: ${(error as Error).message}`,
    )
  }
}

/** A name that is not known here may be anywhere. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || new Networks(['loopback'], () => new Error(host)).has(host)
}

function checkConnections({ limits }: SiteConfig, { warnings }: Findings): void {
  if (limits.connections === null || loadNative().counting !== null) return
  warnings.push('limits.connections: without the addon connections are not limited')
}

/** What would never be: nobody waits for a database that is not there, or for longer than anybody may. */
function checkShed({ limits: { shed }, database }: SiteConfig, { warnings }: Findings): void {
  const { maxPoolWaitMs = 0 } = shed ?? {}
  if (maxPoolWaitMs === 0) return
  const told = `limits.shed.maxPoolWaitMs is ${maxPoolWaitMs}`
  if (database === null) warnings.push(`${told}, and the site has no database to wait for`)
  else if (maxPoolWaitMs >= database.acquireTimeoutMs) {
    warnings.push(
      `${told}, and nobody waits longer for a connection than database.acquireTimeoutMs: ${database.acquireTimeoutMs}; make it less`,
    )
  }
}

function checkLanes({ warnings }: Findings): void {
  const { gate, reason } = loadNative()
  if (gate !== null) return
  warnings.push(
    `connections take the native lane unseen, only its fences stand before views (CONFORMANCE.md, "later"): ${reason ?? 'the addon has no gate on this system'}`,
  )
}

function checkRoutes({ urls, csrf }: SiteConfig, findings: Findings): void {
  if (urls === null) return
  const { problems, warnings, notes, proved } = findings
  const found = checkUrls(urls)
  for (const { level, error } of found) {
    if (level === 'error') problems.push(withCode(error))
    else warnings.push(withCode(error))
  }
  if (problems.length > 0) return
  const { routes } = compileUrls(urls)
  for (const route of routes) {
    if (csrfRuleOf(route, csrf) !== 'off') continue
    notes.push(
      `forms are taken from anywhere, as it says: ${route.pattern} (${formatPlace(route.place)})`,
    )
  }
  proved.push(count(routes.length, 'route'))
}

function checkTemplates(config: SiteConfig, findings: Findings): void {
  const { templates, file } = config
  if (templates === null) return
  const { problems, warnings, notes, proved, references } = findings
  const urls = templateUrls(config.urls)
  proved.push(
    count(createTemplates({ dir: templates, urls, partials: PARTIALS }).names().length, 'template'),
  )
  const { all } = linkFolder(templates, urls, PARTIALS)
  notes.push(...refusedChoices(all))
  if (file === null) return
  const parsed = new Map(all.map((template) => [template.name, template]))
  references.push(...staticTags(parsed))
  const report = checkTemplateData(file, parsed, [...HELPER_NAMES, ...PAGE_TAG_NAMES])
  if (report === undefined) {
    warnings.push(
      'templates are not compared with the data of their views: install "typescript" (5.8 to 6) in the site',
    )
    return
  }
  problems.push(...report.problems.map(withCode))
  references.push(...report.files)
  for (const place of report.raw) notes.push(`not escaped, as it says: ${place}`)
}

/** The files themselves, and those that pages name. */
async function checkFiles(config: SiteConfig, log: Log, findings: Findings): Promise<void> {
  const { problems, proved, references } = findings
  if (config.static.length === 0 && references.length === 0) return
  const backends = await openBackends({ ...config, database: null, tracing: null }, log)
  const { files } = backends
  if (config.static.length > 0) proved.push(count(files.stats.files, 'file'))
  for (const { path, error } of references) {
    if (path === null || files.staticUrl(path) === undefined) problems.push(withCode(error()))
  }
  await backends.close()
}
