/**
 * The templates that uwas brings along: a site's own of the same name, `templates/uwas/field.mustache`, takes
 * its place. Put into the site's templates by `app.ts`; each shows one piece of `FormContext`, or `PageLinks`.
 */

const FORM = `{{> uwas/summary}}
<form class="form" method="{{method}}"{{#action}} action="{{action}}"{{/action}}{{#isMultipart}} enctype="multipart/form-data"{{/isMultipart}}{{#isNovalidate}} novalidate{{/isNovalidate}}>
  {{> uwas/fields}}
  <div class="actions"><button class="button">{{submit}}</button>{{$actions}}{{/actions}}</div>
</form>
`

const FIELDS = `{{#hidden}}
<input type="hidden" name="{{name}}" value="{{value}}">
{{/hidden}}
{{#fields}}
{{> uwas/field}}
{{/fields}}
`

const SUMMARY = `{{#summary}}
<div class="summary" role="alert" tabindex="-1" autofocus aria-labelledby="{{summaryId}}">
  <h2 id="{{summaryId}}">{{summary}}</h2>
  <ul>
    {{#problems}}
    <li>{{#id}}<a href="#{{id}}">{{message}}</a>{{/id}}{{^id}}{{message}}{{/id}}</li>
    {{/problems}}
  </ul>
</div>
{{/summary}}
`

const FIELD = `{{#isGroup}}
<fieldset class="field"{{#describedBy}} aria-describedby="{{describedBy}}"{{/describedBy}}>
  <legend>{{label}}</legend>
  {{> uwas/error}}
  {{#choices}}
  <label class="choice"><input type="{{type}}" id="{{id}}" name="{{name}}" value="{{value}}"{{#isSelected}} checked{{/isSelected}}{{#isRequired}} required{{/isRequired}}{{#error}} aria-invalid="true"{{/error}}> {{label}}</label>
  {{/choices}}
  {{> uwas/hint}}
</fieldset>
{{/isGroup}}
{{^isGroup}}
<div class="field">
  {{^isCheckbox}}<label for="{{id}}">{{label}}</label>{{/isCheckbox}}
  {{> uwas/error}}
  {{> uwas/widget}}
  {{> uwas/hint}}
</div>
{{/isGroup}}
`

const ERROR = `{{#error}}<p class="error" id="{{id}}-error"><span class="unseen">{{errorPrefix}}</span> {{error}}</p>{{/error}}
`

const HINT = `{{#hint}}<p class="hint" id="{{id}}-hint">{{hint}}</p>{{/hint}}
`

const WIDGET = `{{#isInput}}
<input type="{{type}}" id="{{id}}" name="{{name}}" value="{{value}}"{{> uwas/attributes}}>
{{/isInput}}
{{#isTextarea}}
<textarea id="{{id}}" name="{{name}}" rows="{{rows}}"{{> uwas/attributes}}>&#10;{{value}}</textarea>
{{/isTextarea}}
{{#isSelect}}
<select id="{{id}}" name="{{name}}"{{#isMany}} multiple{{/isMany}}{{> uwas/attributes}}>
  {{#none}}<option value="">{{none}}</option>{{/none}}
  {{#choices}}
  <option value="{{value}}"{{#isSelected}} selected{{/isSelected}}>{{label}}</option>
  {{/choices}}
</select>
{{/isSelect}}
{{#isCheckbox}}
<label class="choice"><input type="checkbox" id="{{id}}" name="{{name}}" value="{{value}}"{{#choices}}{{#isSelected}} checked{{/isSelected}}{{/choices}}{{> uwas/attributes}}> {{label}}</label>
{{/isCheckbox}}
{{#isFile}}
<input type="file" id="{{id}}" name="{{name}}"{{#accept}} accept="{{accept}}"{{/accept}}{{#isMany}} multiple{{/isMany}}{{> uwas/attributes}}>
{{/isFile}}
`

/** In one line: it stands inside of a tag. */
const ATTRIBUTES = [
  '{{#isRequired}} required{{/isRequired}}',
  ...[
    'minlength',
    'maxlength',
    'min',
    'max',
    'step',
    'pattern',
    'placeholder',
    'autocomplete',
    'inputmode',
    'dir',
  ].map((name) => `{{#${name}}} ${name}="{{${name}}}"{{/${name}}}`),
  '{{#dataMax}} data-max="{{dataMax}}"{{/dataMax}}',
  '{{#describedBy}} aria-describedby="{{describedBy}}"{{/describedBy}}',
  '{{#error}} aria-invalid="true"{{/error}}',
].join('')

/** The words are blocks: a site in another language says its own with `{{<uwas/pager}}`. */
const PAGER = `<nav class="pager" aria-label="{{$pagesWord}}Pages{{/pagesWord}}">
  {{#previous}}
  <a class="previous" rel="prev" href="{{previous}}">{{$previousWord}}Previous{{/previousWord}}</a>
  {{/previous}}
  {{#pages}}
  {{#isGap}}
  <span class="gap">…</span>
  {{/isGap}}
  {{^isGap}}
  <a href="{{href}}"{{#isCurrent}} aria-current="page"{{/isCurrent}}>{{number}}</a>
  {{/isGap}}
  {{/pages}}
  {{#next}}
  <a class="next" rel="next" href="{{next}}">{{$nextWord}}Next{{/nextWord}}</a>
  {{/next}}
</nav>
`

/** By name. */
export const PARTIALS: Readonly<Record<string, string>> = {
  'uwas/form': FORM,
  'uwas/fields': FIELDS,
  'uwas/summary': SUMMARY,
  'uwas/field': FIELD,
  'uwas/error': ERROR,
  'uwas/hint': HINT,
  'uwas/widget': WIDGET,
  'uwas/attributes': ATTRIBUTES,
  'uwas/pager': PAGER,
}
