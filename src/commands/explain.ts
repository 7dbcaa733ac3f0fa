/**
 * `uwas explain METHOD URL`: which rule of a site answers a request, and with what. Gets the request and the
 * flags, prints text or JSON, leaves the exit code. No view runs, no database is opened.
 */
import { openBackends } from '../app.ts'
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
}

/** 0 also for a request that the site answers with an error: that is what was asked. */
export async function explainCommand(
  method: string,
  url: string | undefined,
  flags: ExplainFlags,
): Promise<number> {
  const asked = readAsked(method, url, flags.header)
  const config = await loadServedSite(flags)
  const { trailingSlash } = config
  const urls = compileUrls(config.urls ?? urlconf(), { trailingSlash })
  const rules = createSiteRules(config)
  const unwatched = { ...config.files, watch: 'off' } as const
  const backends = await openBackends(
    { ...config, files: unwatched, database: null },
    createCommandLog(),
  )
  try {
    const explanation = explain({ config, files: backends.files, urls, rules }, asked)
    if (flags.json) printJson(explanation)
    else process.stdout.write(`${printExplanation(explanation)}\n`)
    return 0
  } finally {
    await backends.close()
  }
}
