/**
 * The frame of every page: a view's template and data in, the whole page in the visitor's language
 * out. What `templates/layout.mustache` and its partials need is added here.
 */
import { type Reply, type Request, render } from 'uwas'
import { LANGUAGE_NAMES, type Language, speakerOf } from './i18n/language.ts'
import { url } from './urls.ts'

export interface PageData {
  /** Heads the browser's tab, before the board's name. */
  readonly title: string
  /** The entry of the menu that this page is. */
  readonly current?: 'list' | 'flow' | 'write'
  readonly [key: string]: unknown
}

/** Renders `template`. The page is private to its reader: it depends on cookies and language. */
export function page(req: Request, template: string, data: PageData, status = 200): Reply {
  const { lang, t } = speakerOf(req)
  const other: Language = lang === 'ko' ? 'en' : 'ko'
  const links = {
    list: url('list'),
    write: url('write'),
    flow: url('flow'),
    language: url('language'),
  }
  const frame = {
    ...data,
    lang,
    t,
    links,
    title: `${data.title} · ${t.site}`,
    here: req.search === '' ? req.path : `${req.path}?${req.search}`,
    other: { lang: other, name: LANGUAGE_NAMES[other] },
    nav: [
      { href: links.list, label: t.notes, current: data.current === 'list' },
      { href: links.write, label: t.write, current: data.current === 'write' },
      { href: links.flow, label: t.flow, current: data.current === 'flow' },
    ],
  }
  return render(req, template, frame, {
    status,
    headers: {
      'Cache-Control': 'private, no-cache',
      'Content-Language': lang,
      Vary: 'Accept-Language, Cookie',
    },
  })
}
