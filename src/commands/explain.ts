/**
 * `uwas explain METHOD URL`: which rule of a site answers a request, and with what. Gets the request and the
 * flags, prints text or JSON, leaves the exit code. No view runs, no database is opened.
 */
import { openBackends } from '../app.ts'
import { createError } from '../core/errors.ts'
import { loadNative } from '../native/load.ts'
import { compileUrls } from '../route/compile.ts'
import { urlconf } from '../route/urlconf.ts'
import { createSiteRules } from '../was/site-rules.ts'
import { readAsked } from './explain/ask.ts'
import { explain } from './explain/decide.ts'
import { printExplanation } from './explain/print.ts'
import { printJson } from './json.ts'
import { createCommandLog } from './log.ts'
import { loadServedSite, type SiteFlags } from './site.ts'

export interface ExplainFlags extends SiteFlags {
  readonly json: boolean
  /** `Name: value`, each. */
  readonly header: readonly string[]
  /** In place of the first argument. */
  readonly request?: string
  readonly httpVersion: '1.0' | '1.1'
  /** Bytes. */
  readonly body?: number
}

/** 0 also for a request that the site answers with an error: that is what was asked. */
export async function explainCommand(
  method: string,
  url: string | undefined,
  flags: ExplainFlags,
): Promise<number> {
  const { request, httpVersion: version, body: bodyBytes } = flags
  if (request !== undefined && url !== undefined) {
    const problem = `its method is given twice, as ${method} and by -X ${request}`
    throw createError('UWAS_ERR_COMMANDS_EXPLAIN', { problem })
  }
  const words = request === undefined ? ([method, url] as const) : ([request, method] as const)
  const asked = readAsked(...words, flags.header, { version, bodyBytes })
  const config = await loadServedSite(flags)
  const { trailingSlash } = config
  const urls = compileUrls(config.urls ?? urlconf(), { trailingSlash })
  const rules = createSiteRules(config)
  const unwatched = { ...config.files, watch: 'off' } as const
  const { judge } = loadNative()
  const backends = await openBackends(
    { ...config, files: unwatched, database: null },
    createCommandLog(),
  )
  try {
    const explanation = explain({ config, files: backends.files, urls, rules, judge }, asked)
    if (flags.json) printJson(explanation)
    else process.stdout.write(`${printExplanation(explanation)}\n`)
    return 0
  } finally {
    await backends.close()
  }
}
