/**
 * `uwas check`: proves a site before it starts. Gets the flags; prints every problem with its place and
 * leaves exit code 1, or a summary and 0. Called by `cli.ts`.
 */
import { openBackends } from '../app.ts'
import { isCodedError, withCode } from '../core/errors.ts'
import { describeError, type Log } from '../core/log.ts'
import { createPrivateFiles } from '../files/send-file.ts'
import { TrustedProxies } from '../http/forwarded.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { Signer } from '../http/signing.ts'
import type { Database } from '../model/database.ts'
import { migrationStatus } from '../model/migrate.ts'
import { pendingOwnSteps } from '../model/own-tables.ts'
import { compareSchema } from '../model/schema/diff.ts'
import { declaredStatements } from '../model/statement-registry.ts'
import { declaredTables } from '../model/table/registry.ts'
import { checkStatements } from '../model/warm.ts'
import { loadNative } from '../native/load.ts'
import { checkUrls } from '../route/check.ts'
import { compileUrls } from '../route/compile.ts'
import { formatPlace } from '../route/place.ts'
import { createTemplates, parseFolder } from '../template/templates.ts'
import type { SiteConfig } from '../was/config.ts'
import { csrfRuleOf } from '../was/csrf/guard.ts'
import { createErrorPages } from '../was/error-pages.ts'
import { PARTIALS } from '../was/forms/partials.ts'
import { ownDatabase } from '../was/own-database.ts'
import { PAGE_TAG_NAMES } from '../was/page-tags.ts'
import { createSiteRules } from '../was/site-rules.ts'
import { HELPER_NAMES } from '../was/static-url.ts'
import { templateUrls } from '../was/template-urls.ts'
import { count } from './count.ts'
import { createCommandLog } from './log.ts'
import { withDatabase } from './migrate.ts'
import { checkServes, loadSite, type SiteFlags, showPath } from './site.ts'
import { checkTemplateData } from './template-data/check.ts'
import { type StaticReference, staticTags } from './template-data/static-references.ts'

/** Collects what is found; the parts of a site are checked one after the other, all of them. */
interface Findings {
  readonly problems: string[]
  readonly warnings: string[]
  /** What is right and worth a look. */
  readonly notes: string[]
  /** What was proved, for the summary: `12 routes`. */
  readonly proved: string[]
  /** Static files that templates and modules name. */
  readonly references: StaticReference[]
}

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
  await part(findings, () => checkProxies(config))
  await part(findings, () => void createErrorPages({ log, files: config.errorPages }))
  await part(findings, () => void createPrivateFiles(loadNative(), config.privateFiles))
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

/** One part that fails as a whole is one problem; the others are still looked at. */
async function part(findings: Findings, check: () => Promise<void> | void): Promise<void> {
  try {
    await check()
  } catch (error) {
    const problem = isCodedError(error) ? withCode(error) : describeError(error)
    // What the files are served with is looked at on its own, too.
    if (!findings.problems.includes(problem)) findings.problems.push(problem)
  }
}

function checkSecrets({ secrets }: SiteConfig): void {
  if (secrets.length > 0) new Signer(secrets)
}

function checkProxies({ trustedProxies }: SiteConfig): void {
  if (trustedProxies !== null) new TrustedProxies(trustedProxies)
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
  if (file === null) return
  const parsed = parseFolder(templates, PARTIALS).templates
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
  const backends = await openBackends({ ...config, database: null }, log)
  const { files } = backends
  if (config.static.length > 0) proved.push(count(files.stats.files, 'file'))
  for (const { path, error } of references) {
    if (path === null || files.staticUrl(path) === undefined) problems.push(withCode(error()))
  }
  await backends.close()
}

async function checkData(config: SiteConfig, log: Log, findings: Findings): Promise<void> {
  const own = ownDatabase(config)
  if (config.database === null) {
    for (const { name } of declaredStatements()) {
      findings.problems.push(`statement ${name}: the site has no database; set the key "database"`)
    }
    return
  }
  await withDatabase(config, log, async (database) => {
    const pending = await pendingOwnSteps(database, own.steps)
    for (const name of pending) {
      findings.problems.push(
        `uwas's own tables (${name}) are missing; make them with "uwas migrate"`,
      )
    }
    const isCurrent = await checkMigrations(config, database, findings)
    if (!isCurrent) return
    const ours = pending.length === 0 ? own.statements : []
    const statements = [...declaredStatements(), ...ours]
    await part(findings, () => checkSchema(database, findings))
    const found = await checkStatements(database, statements)
    findings.problems.push(...found.map(withCode))
    if (found.length === 0) findings.proved.push(count(statements.length, 'statement'))
  })
}

/** Tables as they are declared, held against those that are there. */
async function checkSchema(database: Database, findings: Findings): Promise<void> {
  const tables = declaredTables()
  if (tables.length === 0) return
  const { problems, warnings, proved } = findings
  const found = (await compareSchema(database, tables)).filter(({ problem }) => problem !== null)
  for (const { table, problem, level } of found) {
    const text = `table ${table} ${problem}; draft the change with "uwas migration NAME"`
    if (level === 'problem') problems.push(text)
    else warnings.push(text)
  }
  if (!found.some(({ level }) => level === 'problem')) proved.push(count(tables.length, 'table'))
}

/** False when statements cannot be judged: the schema that they are written for is not there yet. */
async function checkMigrations(
  { migrations }: SiteConfig,
  database: Database,
  { problems, proved }: Findings,
): Promise<boolean> {
  if (migrations === null) return true
  const all = await migrationStatus(database, migrations)
  const open = all.filter(({ state }) => state !== 'applied')
  for (const { name, state } of open) {
    const advice = state === 'pending' ? '; apply it with "uwas migrate"' : ''
    problems.push(`migration ${name} is ${state}${advice}`)
  }
  if (open.length > 0) return false
  proved.push(count(all.length, 'migration'))
  return true
}
