/** The named routes of a site for `{{#url}}` in its templates. Called by `app.ts` and the commands. */
import type { UrlConf } from '../route/entry.ts'
import { flatten } from '../route/flatten.ts'
import { urlconf } from '../route/urlconf.ts'
import type { TemplateUrls } from '../template/templates.ts'

/** What templates know of the routes of a URL conf. */
export function templateUrls(conf: UrlConf | null): TemplateUrls {
  const named = flatten(conf ?? urlconf()).flatMap(({ name, parameters }) =>
    name === undefined ? [] : [[name, parameters.map((one) => one.name)] as const],
  )
  const reverse = (conf ?? urlconf()).reverse as unknown as TemplateUrls['reverse']
  return { reverse, parameters: new Map(named) }
}
