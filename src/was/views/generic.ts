/**
 * Views that many sites write again and again: a list of a table in pages, one of its rows, a form. Each is
 * an ordinary view made of a table or a schema and a template; a site that wants more writes its own.
 */
import type { z } from 'zod'
import { HttpError } from '../../http/http-error.ts'
import { type Reply, redirect } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { View } from '../../http/view.ts'
import type { Columns, Row } from '../../model/table/columns.ts'
import type { KeyOf, Table } from '../../model/table/table.ts'
import type { MethodViews } from '../../route/entry.ts'
import { render } from '../render.ts'

/** Data of a page besides what the view gives it. */
type Extra = (req: Request) => object | Promise<object>

/** What a list view is made of. */
export interface ListViewOptions<C extends Columns, K extends keyof C & string> {
  readonly table: Table<C, K>
  /** Gets `rows`, and `next`: the query of the next page (`?after=…`), or undefined on the last. */
  readonly template: string
  /** A declared order of the table. Default: the primary key upwards. */
  readonly order?: string
  /** Rows of a page. Default 20. */
  readonly limit?: number
  readonly extra?: Extra
}

/** The rows of a table in pages, each found by its place in the order (`?after=`), never by counting. */
export function listView<C extends Columns, K extends keyof C & string>(
  options: ListViewOptions<C, K>,
): View {
  const { table, template, extra, order = 'key', limit = 20 } = options
  return async (req) => {
    const after = req.query.get('after') ?? undefined
    const [page, more] = await Promise.all([
      table.list(req, { order, limit, after }),
      extra === undefined ? {} : extra(req),
    ])
    const next = page.next === undefined ? undefined : `?after=${encodeURIComponent(page.next)}`
    return render(req, template, { ...more, rows: page.rows, next })
  }
}

/** What a detail view is made of. */
export interface DetailViewOptions<C extends Columns, K extends keyof C & string> {
  readonly table: Table<C, K>
  /** Gets the row as `row`. */
  readonly template: string
  readonly extra?: (req: Request, row: Row<C>) => object | Promise<object>
}

/** The row whose primary key the route's parameters name; 404 when there is none. */
export function detailView<C extends Columns, K extends keyof C & string>(
  options: DetailViewOptions<C, K>,
): View<KeyOf<C, K>> {
  const { table, template, extra } = options
  return async (req) => {
    const row = await table.get(req as Request, req.params)
    const more = extra === undefined ? {} : await extra(req as Request, row)
    return render(req as Request, template, { ...more, row })
  }
}

/** What a form view is made of. `P` are the route's parameters. */
export interface FormViewOptions<S extends z.ZodObject, P> {
  /** What the fields have to be; a text that is left empty is missing. Other fields are passed over. */
  readonly schema: S
  /**
   * Gets `values` (texts by field), `errors` (messages by field) and `problems`, the same as a list of `field`
   * and `message`; empty while nothing is wrong.
   */
  readonly template: string
  /** Values that the form begins with. Default none. */
  readonly initial?: (req: Request<P>) => object | Promise<object>
  /**
   * Does what the form is for and gives the path to go to. What it throws with `invalid()` is shown at its
   * fields.
   */
  readonly save: (req: Request<P>, values: z.infer<S>) => string | Promise<string>
  readonly extra?: (req: Request<P>) => object | Promise<object>
}

/**
 * GET shows the form. POST checks it: 422 and the form again, with what was written and an error at each field;
 * or `save`, and 303 to where it says, so that a reload sends nothing again.
 */
export function formView<S extends z.ZodObject, P = Record<string, unknown>>(
  options: FormViewOptions<S, P>,
): MethodViews<P> {
  const { schema, template, initial, save, extra } = options
  const names = Object.keys(schema.shape)

  async function show(
    req: Request<P>,
    values: object,
    errors: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    const problems = Object.entries(errors).map(([field, message]) => ({ field, message }))
    const status = problems.length > 0 ? 422 : 200
    const more = extra === undefined ? {} : await extra(req)
    return render(req as Request, template, { ...more, values, errors, problems }, { status })
  }

  return {
    get: async (req) => show(req, initial === undefined ? {} : await initial(req), {}),
    post: async (req) => {
      const form = await req.form()
      const sent = Object.fromEntries(names.map((name) => [name, form.get(name) ?? '']))
      const given = Object.entries(sent).filter(([, value]) => value !== '')
      const checked = schema.safeParse(Object.fromEntries(given))
      if (!checked.success) return show(req, sent, messagesOf(checked.error))
      try {
        return redirect(await save(req, checked.data as z.infer<S>))
      } catch (error) {
        if (!(error instanceof HttpError) || error.status !== 422) throw error
        return show(req, sent, error.problems)
      }
    },
  }
}

/** The first message of each field. */
function messagesOf(error: z.ZodError): Record<string, string> {
  const messages: Record<string, string> = {}
  for (const { path, message } of error.issues) messages[String(path[0] ?? 'form')] ??= message
  return messages
}
