/**
 * The frame of every page: a view's template and data in, the whole page in the visitor's language
 * out. What `templates/layout.mustache` and its partials need is added here.
 */
import { type Reply, type Request, render, user } from 'uwas'
import { LANGUAGE_NAMES, type Language, speakerOf } from './i18n/language.ts'
import { url } from './urls.ts'

export interface PageData {
  /** Heads the browser's tab, before the board's name. */
  readonly title: string
  /** The entry of the menu that this page is. */
  readonly current?: 'list' | 'flow' | 'write'
  readonly [key: string]: unknown
}

/** Renders `template` for its reader, whose name stands at the top. */
export async function page(
  req: Request,
  template: string,
  data: PageData,
  status = 200,
): Promise<Reply> {
  const member = await user(req)
  const { account } = speakerOf(req).t
  const reader =
    member === undefined
      ? { href: url('log-in'), label: account.logIn, logOut: false as const }
      : { href: url('points'), label: member.name, logOut: url('log-out') }
  return renderPage(req, template, { ...data, reader }, status)
}

/** Renders `template` the same for everybody who reads its language. */
export function sharedPage(req: Request, template: string, data: PageData): Reply {
  const { account } = speakerOf(req).t
  const reader = { href: url('points'), label: account.mine, logOut: false as const }
  return renderPage(req, template, { ...data, reader }, 200)
}

function renderPage(req: Request, template: string, data: PageData, status: number): Reply {
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
