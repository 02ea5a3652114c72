import Methods
import Support
import Testing

@testable import WidthSearch

@Suite struct SearchSettingsTests {
  @Test("Settings are named as the command line names them, those of groups and optional ones too")
  func names() {
    #expect(DMCPSettings.names.contains("range.maximum") && DMCPSettings.names.contains("alphaLearningRate"))
    #expect(!DMCPSettings.names.contains("range"))
    #expect(UniformWidths.Settings.names.isEmpty)
    #expect(
      DMCPSettings.described.contains("residual=branch|sum") && DMCPSettings.described.contains("alphaLearningRate"))
    #expect(WidthOptimizers.settings(of: "morphnet").contains("kappa=1.0"))
    let wrong = #expect(throws: UsageFailure.self) { try DMCPSettings().with(["residual": "trunk"]) }
    #expect(wrong?.message.contains("it is one of branch, sum") == true)
    #expect(WidthOptimizers.settingNames(of: "morphnet").contains("kappa"))
  }

  @Test("Values are replaced by name, in their kind")
  func values() throws {
    let settings = try DMCPSettings().with([
      "range.maximum": "2", "alphaLearningRate": "0.7", "parametrisation": "exponential", "randomPasses": "1",
    ])
    var expected = DMCPSettings()
    (expected.range.maximum, expected.alphaLearningRate) = (2, 0.7)
    (expected.parametrisation, expected.randomPasses) = (.exponential, 1)
    #expect(settings == expected)
    #expect(try AutoSlimSettings().with(["sharesPrefix": "false"]).sharesPrefix == false)
    #expect(try DMCPSettings().with([:]) == DMCPSettings())
  }

  static let wrong: [(name: String, value: String, words: String)] = [
    ("kapa", "3", "nearest: kappa"), ("kappa", "much", "kappa=much"), ("rounds", "1.5", "rounds=1.5"),
    ("kappa", "-1", "kappa is -1"), ("grouping", "min", "grouping=min"), ("kappa", "nan", "kappa=nan"),
    ("kappa", "1e999", "kappa=1e999"), ("rounds", "99999999999999999999", "rounds="), ("", "3", "no such setting"),
  ]

  @Test("What is wrong is refused by name", arguments: wrong.indices)
  func refusals(index: Int) {
    let (name, value, words) = Self.wrong[index]
    let failure = #expect(throws: UsageFailure.self) { try MorphNetSettings().with([name: value]) }
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
  }

  @Test(
    "Every method is found by its name, with its defaults valid and an identity of its own",
    arguments: WidthOptimizers.names)
  func methods(name: String) throws {
    let method = try WidthOptimizers.named(name)
    #expect(method.name == name && method.identity.hasPrefix(name))
    try method.settings.validate()
    #expect(try WidthOptimizers.named(name).identity == method.identity)
    if let setting = WidthOptimizers.settingNames(of: name).first(where: { ["kappa", "width"].contains($0) }) {
      #expect(try WidthOptimizers.named(name, settings: [setting: "7"]).identity != method.identity)
    }
  }

  @Test("An unknown method is refused with the nearest name")
  func unknown() {
    let failure = #expect(throws: UsageFailure.self) { try WidthOptimizers.named("autoslm") }
    #expect(failure?.message.contains("autoslim") == true)
  }
}
