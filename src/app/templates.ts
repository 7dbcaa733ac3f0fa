/** The templates of a site, with what their tags can name. Called by `app.ts`. */
import { loadBuilt } from '../template/built.ts'
import { createTemplates, type Templates } from '../template/templates.ts'
import { builtTemplates, type SiteConfig } from '../was/config.ts'
import { PARTIALS } from '../was/forms/partials.ts'
import { NO_PAGE_TAGS } from '../was/page-tags.ts'
import { type StaticUrls, staticHelpers } from '../was/static-url.ts'
import { templateUrls } from '../was/template-urls.ts'

/** Null without any; `isStrict`: an unknown name is an error. */
export async function templatesOf(
  config: SiteConfig,
  staticUrls: StaticUrls,
  isStrict: boolean,
): Promise<Templates | null> {
  if (config.templates === null) return null
  return createTemplates({
    dir: config.templates,
    helpers: { ...NO_PAGE_TAGS, ...staticHelpers(staticUrls) },
    urls: templateUrls(config.urls),
    partials: PARTIALS,
    isStrict,
    built: isStrict ? null : await loadBuilt(builtTemplates(config)),
  })
}
