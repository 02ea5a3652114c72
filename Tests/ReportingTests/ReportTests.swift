import Foundation
import Networks
import Records
import Support
import Testing

@testable import Reporting

@Suite struct ReportTests {
  @Test func runReportSaysWhatCameOut() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeRun(to: folder)
      let report = try Report([folder])
      let html = try report.html(bundle: "/* bundle */")
      for text in [
        "resnet20 on CIFAR-10", "71.8×", "80.0×", "beyond the noise", "layer3.2.conv1",
        "width-transfer run --config run.yaml",
        "weightDecay: 0.0005", "LibTorch", "2.11.0", "every layer, with rounded channels", "Weight decay",
      ] { #expect(html.contains(text), "the page lacks \(text)") }
      #expect(
        report.charts.map(\.id) == [
          "widths", "multipliers", "curve-top1", "curve-loss", "search-cost", "search-widths", "cost-compute",
          "cost-time",
        ])
      for chart in report.charts { #expect(html.contains("data-chart=\"\(chart.id)\"")) }
    }
  }

  @Test func textFromOutsideIsEscaped() throws {
    try SyntheticRun.withFolder { folder in
      let nasty = "</script><img src=x onerror=alert(1)>\"'&"
      var run = SyntheticRun()
      run.name = nasty
      run.warning = nasty
      try run.writeRun(to: folder)
      try Data("command: \"\(nasty.replacingOccurrences(of: "\"", with: "\\\""))\"\nx: '<b>'\n".utf8)
        .write(to: URL(fileURLWithPath: folder.configuration))
      let html = try Report([folder]).html(bundle: "const s = \"</script>\"")
      #expect(!html.contains("<img"))
      #expect(!html.contains("<b>"))
      #expect(html.components(separatedBy: "</script>").count - 1 == 3)
      #expect(html.contains("&lt;/script&gt;&lt;img"))
    }
  }

  @Test func pageNeedsNoNetwork() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeRun(to: folder)
      let html = try Report([folder]).html(bundle: nil)
      #expect(!html.contains("src="))
      #expect(!html.contains("@import"))
      #expect(!html.contains("url("))
      #expect(!html.contains("http://"))
      #expect(!html.contains("https://"))
      #expect(html.contains("default-src 'none'"))
    }
  }

  @Test func withoutBundleThePageKeepsItsTablesAndSaysHowToGetCharts() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeRun(to: folder)
      let warnings = try Report([folder]).write(to: folder.report, bundle: nil)
      #expect(warnings == [VegaBundle.advice])
      let html = try String(contentsOfFile: folder.report, encoding: .utf8)
      #expect(html.contains("scripts/bundle-vega"))
      #expect(!html.contains("<figure"))
      #expect(!html.contains("<script"))
      #expect(html.contains("<th scope=\"row\">layer2.1.conv2</th>"))
      #expect(try Report([folder]).write(to: folder.report, bundle: "/**/").isEmpty)
    }
  }

  @Test func oneSeedMakesNoClaim() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun(seeds: [0]).writeRun(to: folder)
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("no spread is known"))
      #expect(!html.contains("better than uniform"))
      #expect(!html.contains("\u{A0}±\u{A0}"))
    }
  }

  @Test func smallDifferenceIsCalledNoise() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun(gain: 0.01).writeRun(to: folder)
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("do equally well, to within half a point"))
      #expect(html.contains("within the noise"))
    }
  }

  @Test("A wide interval around 0 tells nothing, a narrow one that two are alike")
  func noise() throws {
    func difference(_ values: Double...) throws -> PairedDifference {
      let optimized = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($0, 80 + $1) })
      return try #require(PairedDifference(optimized, minus: optimized.mapValues { _ in 80 }))
    }
    let wide = try difference(2.6, -4.2, 1)
    #expect(wide.claim == "3 seeds cannot tell optimized and uniform widths apart")
    #expect(wide.reason.contains("an interval of ± 0.5 points takes"))
    let narrow = try difference(0.1, -0.1, 0.05, -0.02)
    #expect(narrow.claim.contains("do equally well, to within half a point"))
    #expect(!narrow.reason.contains("takes"))
    #expect(try difference(0.3, 0.31, 0.3).claim.contains("better"))
  }

  @Test func trainingAndSearchHaveReportsOfTheirOwn() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeTraining(to: folder, gain: 0, seed: 4)
      let report = try Report([folder])
      #expect(report.title == "resnet20")
      #expect(report.charts.map(\.id) == ["curve-top1", "curve-loss"])
    }
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeSearch(to: folder)
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("Channels of all 19 groups"))
      #expect(!html.contains("not decided on widths yet"))
      try SyntheticRun().widthsFile.write(to: folder.widths)
      let report = try Report([folder])
      #expect(report.title == "Widths for resnet20")
      #expect(report.charts.map(\.id) == ["widths", "multipliers", "search-cost", "search-widths"])
    }
  }

  @Test("Widths that a training was left with stand beside the training's, and damaged multipliers are passed over")
  func widthsOfATraining() throws {
    try SyntheticRun.withFolder { folder in
      var file = SyntheticRun().widthsFile
      file.relativeTo = .trained
      try file.write(to: folder.widths)
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("those of the trained network that they come from") && !html.contains("Original channels"))
      file.relativeTo = nil
      for multiplier in [1e-300, -1, 0, 1e300] {
        file.multipliers = PerGroup(file.widths.values.mapValues { _ in multiplier })
        try file.write(to: folder.widths)
        #expect(try Report([folder]).html(bundle: nil).contains("Original channels"))
      }
      try SyntheticRun().writeTraining(to: folder, gain: 0, seed: 4)
      file.algorithm = "adapt"
      try file.write(to: folder.widths)
      #expect(try Report([folder]).html(bundle: nil).contains("ending at the widths of widths.json"))
    }
  }

  @Test("A folder of a run and a comparison is what came last, and the run beside other runs")
  func sharedFolder() throws {
    try SyntheticRun.withFolder { folder in
      let shared = RunFolder(path: folder.file("shared"))
      try SyntheticRun().writeRun(to: shared)
      try JSONFile.write(SyntheticComparison().summary, to: shared.comparison)
      func isComparison() throws -> Bool { try Report([shared]).title.hasPrefix("Width-search methods") }
      #expect(try isComparison())
      try RunManifest(plans: [.compare, .run]).write(shared)
      #expect(try !isComparison())
      try RunManifest(plans: [.compare, .run, .search]).write(shared)
      #expect(try !isComparison())
      try RunManifest(plans: [.run, .compare]).write(shared)
      #expect(try isComparison())
      let other = RunFolder(path: folder.file("other"))
      try SyntheticRun().writeRun(to: other)
      #expect(try Report([shared, other]).title == "2 runs side by side")
    }
  }

  @Test(
    "Losses of which one is a hundred times another have a logarithmic axis; accuracies never", arguments: [2.0, 900])
  func divergedLosses(worst: Double) throws {
    let epochs = [worst, 1.2, 0.9, .nan].enumerated().map { index, loss in
      RunEvent.Epoch(
        epoch: index, step: index, trainLoss: loss, loss: loss, top1: index == 0 ? 0.1 : 60, top5: nil,
        learningRate: 0.1,
        seconds: 1)
    }
    let curve = TrainingCurve(series: "uniform", seed: 0, epochs: epochs)
    for (metric, isLogarithmic) in [(CurveMetric.loss, worst > 100), (.top1, false)] {
      let chart = Chart.trainingCurves([curve], metric: metric)
      guard case .array(let layers) = try #require(chart.specification["layer"]) else { return #expect(Bool(false)) }
      let y = try #require(layers.last?["encoding"]?["y"])
      #expect((y["scale"]?["type"] == "log") == isLogarithmic)
      #expect(chart.title.contains("(log scale)") == isLogarithmic)
    }
  }

  @Test func severalRunsStandSideBySide() throws {
    try SyntheticRun.withFolder { folder in
      let first = RunFolder(path: folder.file("narrow"))
      let second = RunFolder(path: folder.file("shallow"))
      let third = RunFolder(path: folder.file("baseline"))
      try SyntheticRun().writeRun(to: first)
      try SyntheticRun(gain: 0.1).writeRun(to: second)
      try SyntheticRun().writeTraining(to: third, gain: 0, seed: 9)
      let report = try Report([first, second, third])
      let html = try report.html(bundle: nil)
      #expect(report.title == "3 runs side by side")
      #expect(report.charts.map(\.id) == ["multipliers", "curve-top1", "curve-loss"])
      for text in ["narrow", "shallow", "baseline", "no reduction was measured"] { #expect(html.contains(text)) }
    }
  }

  @Test func folderWithoutRunIsNamed() throws {
    try SyntheticRun.withFolder { folder in
      #expect(throws: FileFailure.self) { try Report([folder]) }
      try SyntheticRun().writeSearch(to: folder.search)
      let failure = #expect(throws: FileFailure.self) { try Report([folder]) }
      #expect(failure?.kind == .missing)
      #expect(failure?.message.contains("not complete") == true)
    }
  }

  @Test func missingEventsOfATrainingAreARemark() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeRun(to: folder)
      try FileManager.default.removeItem(atPath: folder.training("uniform", seed: 2).events)
      let report = try Report([folder])
      let html = try report.html(bundle: nil)
      #expect(html.contains("The events of uniform/seed-2 are missing"))
      // Nobody knows what that training spent: no shares, and no picture of them.
      #expect(!report.charts.contains { $0.id == "cost-compute" })
      #expect(html.contains(/Uniform training<\/th><td class="[a-z]*">–<\/td><td class="[a-z]*">–<\/td>/))
      // Beside another run it is told, too.
      let other = RunFolder(path: folder.file("other"))
      try SyntheticRun().writeTraining(to: other, gain: 0, seed: 1)
      #expect(try Report([folder, other]).html(bundle: nil).contains("The events of uniform/seed-2 are missing"))
    }
  }

  @Test func chartSpecificationsAreWrittenForPictures() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeRun(to: folder)
      let paths = try Report([folder]).writeChartSpecifications(to: folder.file("charts"))
      #expect(paths.count == 8)
      for path in paths {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        #expect((object as? [String: Any])?["width"] as? Int == 760)
      }
    }
  }

  @Test func configurationGivesRecipeAndCommand() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeTraining(to: folder, gain: 0, seed: 4)
      try Data("command: train\nrecipe: {learningRate: '0.2'}\ndataset: fashion-mnist\nwidth: 0.5\ndivisor: 2\n".utf8)
        .write(to: URL(fileURLWithPath: folder.configuration))
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("width-transfer train --config run.yaml"))
      #expect(html.contains("<dt>Learning rate</dt><dd>0.2</dd>"))
      #expect(html.contains("<dt>Width</dt><dd>0.5</dd>") && html.contains("<dt>Divisor</dt><dd>2</dd>"))
      #expect(html.contains("<h1>resnet20 on fashion-mnist</h1>"))
    }
  }

  @Test func configurationOfAliasesOfAliasesIsReadInFiniteTime() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeTraining(to: folder, gain: 0, seed: 4)
      var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
      for level in 1...9 {
        yaml += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
      }
      try Data(yaml.utf8).write(to: URL(fileURLWithPath: folder.configuration))
      #expect(try Report([folder]).title == "resnet20")
    }
  }

  @Test func unfinishedTrainingSaysHowFarItCame() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticRun().writeTraining(to: folder, gain: 0, seed: 4)
      try FileManager.default.removeItem(atPath: folder.result)
      let lines = try String(contentsOfFile: folder.events, encoding: .utf8).split(separator: "\n")
      try Data(lines.prefix(6).joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder.events))
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("its state after epoch 5"))
    }
  }
}
