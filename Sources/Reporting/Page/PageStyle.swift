/// The page's style sheet.
///
/// Charts take their text and grid colours from here too: a rule wins over the colour that Vega writes on an element, so
/// one drawing serves light, dark and print.
enum PageStyle {
  static let css = #"""
    :root {
      color-scheme: light dark;
      --paper: #ffffff; --card: #f7f8fa; --ink: #14181f; --soft: #4b5563; --faint: #6b7280; --line: #e3e6eb;
      --accent: #1f5fd0; --good: #0f7a4f; --bad: #b3372a; --warm: #fff6e6; --warm-line: #eacb8c;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #0f1216; --card: #171b21; --ink: #eef1f5; --soft: #b4bcc8; --faint: #8d97a5; --line: #2a303a;
        --accent: #7fb0ff; --good: #4cc38a; --bad: #ff8a7a; --warm: #2b2415; --warm-line: #6b5524;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
      font-variant-numeric: tabular-nums;
    }
    header.page, main { max-width: 1080px; margin: 0 auto; padding: 0 28px; }
    header.page { padding-top: 56px; }
    .eyebrow { margin: 0 0 10px; font-size: 13px; font-weight: 600; letter-spacing: .04em; color: var(--accent); }
    h1 { margin: 0; font-size: clamp(28px, 4.4vw, 42px); line-height: 1.12; letter-spacing: -.022em; font-weight: 700;
      overflow-wrap: anywhere; }
    .subtitle { margin: 14px 0 0; max-width: 68ch; color: var(--soft); font-size: 17px; }
    nav { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 26px 0 0; padding-bottom: 14px;
      border-bottom: 1px solid var(--line); font-size: 14px; }
    nav a { color: var(--soft); text-decoration: none; }
    nav a:hover, nav a:focus-visible { color: var(--accent); text-decoration: underline; text-underline-offset: 4px; }
    main { padding-bottom: 72px; }
    section { margin-top: 52px; scroll-margin-top: 20px; }
    h2 { margin: 0 0 16px; font-size: 22px; line-height: 1.25; letter-spacing: -.012em; font-weight: 650; }
    .headline, .prose, .subtitle, figcaption { text-wrap: pretty; }
    .headline { margin: 0 0 22px; max-width: 62ch; font-size: 20px; line-height: 1.45; }
    .prose { margin: 0 0 16px; max-width: 72ch; color: var(--soft); }
    .notice { margin: 28px 0 0; padding: 12px 16px; border: 1px solid var(--warm-line); border-radius: 10px;
      background: var(--warm); font-size: 15px; }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(178px, 1fr)); gap: 14px; margin: 0 0 20px; }
    .tile { padding: 16px 18px 15px; border-radius: 12px; background: var(--card); }
    .tile p { margin: 0; }
    .tile .label { font-size: 13px; color: var(--soft); }
    .tile .value { margin: 4px 0 3px; font-size: 29px; line-height: 1.2; font-weight: 650; letter-spacing: -.02em; }
    .tile .detail { font-size: 13px; line-height: 1.4; color: var(--faint); }
    .tile.good .value { color: var(--good); }
    .tile.bad .value { color: var(--bad); }
    .figures { display: grid; column-gap: 40px; margin: 4px 0 14px; }
    .chart { margin-bottom: 14px; }
    .figures.two { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
    figure { margin: 0; min-width: 0; display: grid; grid-template-rows: subgrid; grid-row: span 2; gap: 0; }
    figure[hidden] { display: none; }
    figcaption { margin: 0 0 10px; font-size: 14px; line-height: 1.45; color: var(--faint); max-width: 76ch; }
    figcaption strong { display: block; color: var(--ink); font-weight: 600; font-size: 15px; }
    .chart { width: 100%; min-height: 80px; }
    .chart svg { display: block; max-width: 100%; }
    .chart svg text { fill: var(--faint) !important; }
    .chart .role-legend-label text, .chart .role-axis-label text { fill: var(--soft) !important; }
    .chart .cell_numbers_marks text { fill: var(--ink) !important; }
    .chart .cell_paper_marks path { fill: var(--paper) !important; }
    .chart .role-axis-grid line, .chart .role-axis-domain line { stroke: var(--line) !important;
      stroke-opacity: 1 !important; }
    .scroll { overflow-x: auto; margin: 0 0 18px; }
    table { width: 100%; border-collapse: collapse; font-size: 15px; }
    caption { padding: 0 0 8px; text-align: left; font-size: 14px; color: var(--faint); }
    details caption { display: none; }
    th, td { padding: 9px 16px 9px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
    th:last-child, td:last-child { padding-right: 2px; }
    thead th { font-size: 13px; font-weight: 600; color: var(--soft); vertical-align: bottom; }
    tbody th { font-weight: 500; }
    .number { text-align: right; white-space: nowrap; }
    thead .number { white-space: normal; }
    details { margin: 0 0 10px; }
    summary { cursor: pointer; width: fit-content; padding: 4px 0; font-size: 15px; color: var(--accent); }
    details[open] > summary { margin-bottom: 8px; }
    details th, details td { padding-top: 5px; padding-bottom: 5px; font-size: 14px; }
    .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 0 40px;
      margin: 0 0 18px; }
    .facts div { display: flex; justify-content: space-between; gap: 20px; padding: 8px 0;
      border-bottom: 1px solid var(--line); font-size: 15px; }
    .facts dt { color: var(--soft); flex: 0 1 auto; }
    .facts dd { margin: 0; flex: 1 1 0; min-width: min(50%, 14ch); text-align: right; overflow-wrap: anywhere; }
    .notes { margin: 0 0 16px; padding-left: 20px; max-width: 76ch; }
    .notes li { margin: 4px 0; }
    pre { margin: 0 0 18px; padding: 14px 16px; overflow-x: auto; border-radius: 10px; background: var(--card);
      font: 13.5px/1.55 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
    pre.command { white-space: pre-wrap; overflow-wrap: anywhere; }
    #vg-tooltip-element.vg-tooltip.custom-theme { border: 1px solid var(--line); border-radius: 8px; padding: 8px 11px;
      background: var(--paper); color: var(--ink); font: 13px/1.45 system-ui, sans-serif;
      box-shadow: 0 6px 22px rgb(0 0 0 / .16); }
    #vg-tooltip-element.custom-theme table { width: auto; font-size: 13px; }
    #vg-tooltip-element.custom-theme td { border: 0; padding: 1px 10px 1px 0; }
    #vg-tooltip-element.custom-theme td.key { color: var(--faint); max-width: none; }
    @media (max-width: 560px) { header.page, main { padding-left: 18px; padding-right: 18px; } section { margin-top: 42px; } }
    @media print {
      :root { --paper: #fff; --card: #f7f8fa; --ink: #000; --soft: #333; --faint: #555; --line: #ccc; --accent: #000;
        --good: #0f7a4f; --bad: #b3372a; }
      body { font-size: 11pt; }
      header.page { padding-top: 0; }
      nav { display: none; }
      section { margin-top: 26pt; }
      h2 { break-after: avoid; }
      figure, .tile, tr { break-inside: avoid; }
    }
    """#
}
