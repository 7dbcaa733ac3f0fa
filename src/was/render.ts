/** The one place where views meet templates: a template's name and data in, a page out. */
import { html, type Reply, type ReplyInit } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { TEMPLATES } from '../template/templates.ts'
import { fragmentsOf } from './fragments.ts'
import { PAGE_TAGS } from './page-tags.ts'

/**
 * Renders the template `name` (its path below the site's templates folder, without `.mustache`) with
 * `data`. Throws UWAS_ERR_TEMPLATE_* when there is no such template or its rendering fails.
 */
export function render(req: Request, name: string, data: object, init?: ReplyInit): Reply {
  const from = req.trace === null ? 0 : performance.now()
  const { services } = req
  req.trace?.recording?.templates.push({ name, data })
  const templates = services.get(TEMPLATES)
  const fragments = templates.hasFragments ? fragmentsOf(req) : undefined
  const tags = services.find(PAGE_TAGS)?.(req, fragments)
  const page = templates.render(name, data, tags, fragments)
  req.trace?.add('template', from, name)
  return html(page, init)
}
