/// The page's own script: draws each chart into its figure.
enum PageScript {
  // `ast: true` makes Vega interpret expressions instead of compiling them, so the page can forbid `eval`.
  static let draw = #"""
    (function () {
      "use strict";
      const specifications = JSON.parse(document.getElementById("charts").textContent);
      const options = { actions: false, renderer: "svg", ast: true, tooltip: { theme: "custom" } };
      for (const place of document.querySelectorAll(".chart")) {
        place.closest("figure").hidden = false;
      }
      for (const place of document.querySelectorAll(".chart")) {
        vegaEmbed(place, specifications[place.dataset.chart], options).catch(function (error) {
          console.error("chart " + place.dataset.chart + ": " + error);
          place.textContent = "This chart could not be drawn: " + error.message;
        });
      }
    })();
    """#
}
