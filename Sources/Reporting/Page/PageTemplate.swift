/// The page's Mustache templates. `{{name}}` escapes for HTML; `{{{name}}}` stands only where the text is our own.
enum PageTemplate {
  static let html = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="generator" content="width-transfer">
    <title>{{pageTitle}}</title>
    <style>
    {{{style}}}
    </style>
    </head>
    <body>
    <header class="page">
    <p class="eyebrow">width-transfer</p>
    <h1>{{pageTitle}}</h1>
    <p class="subtitle">{{subtitle}}</p>
    <nav aria-label="Sections">{{#sections}}<a href="#{{anchor}}">{{heading}}</a>{{/sections}}</nav>
    </header>
    <main>
    {{#notice}}<p class="notice" role="note">{{.}}</p>{{/notice}}
    {{#sections}}
    <section id="{{anchor}}">
    <h2>{{heading}}</h2>
    {{#blocks}}
    {{#headline}}<p class="headline">{{.}}</p>{{/headline}}
    {{#paragraph}}<p class="prose">{{.}}</p>{{/paragraph}}
    {{#code}}<pre class="command"><code>{{.}}</code></pre>{{/code}}
    {{#source}}<details><summary>{{sourceTitle}}</summary><pre><code>{{sourceText}}</code></pre></details>{{/source}}
    {{#details}}<details><summary>{{tableCaption}}</summary>{{> table}}</details>{{/details}}
    {{#table}}{{> table}}{{/table}}
    {{#figures}}<div class="figures {{count}}">{{#charts}}<figure hidden><figcaption><strong>{{chartTitle}}</strong><span>{{chartCaption}}</span></figcaption><div class="chart" data-chart="{{chart}}" role="img" aria-label="{{chartTitle}}. {{chartCaption}}"></div></figure>{{/charts}}</div>{{/figures}}
    {{#tileGroup}}<div class="tiles">{{#tiles}}<div class="tile {{tone}}"><p class="label">{{tileLabel}}</p><p class="value">{{tileValue}}</p><p class="detail">{{tileDetail}}</p></div>{{/tiles}}</div>{{/tileGroup}}
    {{#factGroup}}<dl class="facts">{{#facts}}<div><dt>{{factName}}</dt><dd>{{factValue}}</dd></div>{{/facts}}</dl>{{/factGroup}}
    {{#noteGroup}}<ul class="notes">{{#notes}}<li>{{.}}</li>{{/notes}}</ul>{{/noteGroup}}
    {{/blocks}}
    </section>
    {{/sections}}
    </main>
    {{#drawing}}
    <script type="application/json" id="charts">{{{specifications}}}</script>
    <script>{{{bundle}}}</script>
    <script>
    {{{script}}}
    </script>
    {{/drawing}}
    </body>
    </html>

    """#

  static let table = #"""
    <div class="scroll"><table><caption>{{tableCaption}}</caption><thead><tr>{{#columns}}<th scope="col" class="{{cellClass}}">{{cell}}</th>{{/columns}}</tr></thead><tbody>{{#rows}}<tr><th scope="row">{{first}}</th>{{#cells}}<td class="{{cellClass}}">{{cell}}</td>{{/cells}}</tr>{{/rows}}</tbody></table></div>
    """#
}
