/**
 * Views that many sites write again and again: a list of a table in pages, one of its rows, a form. Each is
 * an ordinary view made of a table or a schema and a template; a site that wants more writes its own.
 */
import { HttpError } from '../../http/http-error.ts'
import { type Reply, redirect } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { View } from '../../http/view.ts'
import type { Columns, Row } from '../../model/table/columns.ts'
import type { KeyOf, Table } from '../../model/table/table.ts'
import type { MethodViews } from '../../route/entry.ts'
import type { Form } from '../forms/form.ts'
import type { FormContext } from '../forms/form-context.ts'
import { formError } from '../forms/form-error.ts'
import { partOfView } from '../in-transaction.ts'
import { render } from '../render.ts'
import { queryWith } from './page-links.ts'

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
    const next = page.next === undefined ? undefined : queryWith(req, 'after', page.next)
    return render(req, template, withOwn(more, { rows: page.rows, next }))
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
    return render(req as Request, template, withOwn(more, { row }))
  }
}

/** What a form view is made of. `P` are the route's parameters; one of `template` and `show` makes its page. */
export interface FormViewOptions<T, P> {
  readonly form: Form<T>
  /** Gets the form as `form`: `{{#form}}{{> uwas/form}}{{/form}}`, or a site's own markup. */
  readonly template?: string
  /** Makes the page where a template's name is not enough; `status` is 200, or 422 with errors in `form`. */
  readonly show?: (req: Request<P>, form: FormContext, status: number) => Reply | Promise<Reply>
  /** Values that the form begins with. Default: those of its schema. */
  readonly initial?: (req: Request<P>) => object | Promise<object>
  /**
   * Does what the form is for and gives the path to go to, or the reply. What it throws with `invalid()` is
   * shown at its fields, and what it has done in the transaction of its route is undone. Where it uses the `url` of the URL conf that names this view, write its return type:
   * the compiler cannot find it out in a circle.
   */
  readonly save: (req: Request<P>, values: T) => string | Reply | Promise<string | Reply>
  /** Data of `template` besides. Default none. */
  readonly extra?: (req: Request<P>) => object | Promise<object>
}

/**
 * GET shows the form. POST checks it: 422 and the form again, with what was written and an error at each field;
 * or `save`, and 303 to where it says, so that a reload sends nothing again. Throws UWAS_ERR_WAS_FORM.
 */
export function formView<T, P = Record<string, unknown>>(
  options: FormViewOptions<T, P>,
): MethodViews<P> {
  const { form, initial, save } = options
  const show = options.show ?? pageOf(options)
  return {
    get: async (req) => {
      const values = initial === undefined ? {} : await initial(req)
      return show(req, form.blank(req as Request, values), 200)
    },
    post: async (req) => {
      const sent = await form.read(req as Request)
      if (!sent.isValid) return show(req, form.filled(req as Request, sent), 422)
      try {
        const done = await partOfView(req as Request, async () => save(req, sent.values))
        return typeof done === 'string' ? redirect(done) : done
      } catch (error) {
        if (!(error instanceof HttpError) || error.status !== 422) throw error
        const refused = form.refuse(sent, error.problems)
        return show(req, form.filled(req as Request, refused), 422)
      }
    },
  }
}

function pageOf<T, P>({ template, extra }: FormViewOptions<T, P>) {
  if (template === undefined) throw formError('formView()', 'it needs a template, or show')
  return async (req: Request<P>, form: FormContext, status: number): Promise<Reply> => {
    const more = extra === undefined ? {} : await extra(req)
    return render(req as Request, template, withOwn(more, { form }), { status })
  }
}

/**
 * What the site adds and what the view itself gives. Not by spreading: V8 of Node 20 gives each object that is spread
 * and then grows a hidden class of its own, which costs 0.7 µs, and the template's look-ups as well.
 */
function withOwn(more: object, own: object): object {
  return Object.assign({}, more, own)
}
