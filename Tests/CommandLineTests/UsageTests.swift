import Foundation
import Testing

@Suite struct UsageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var arguments: [String]
    var code: Int32 = 64
    var words: [String]
    var testDescription: String { name }

    init(_ name: String, _ arguments: [String], _ code: Int32 = 64, _ words: String...) {
      (self.name, self.arguments, self.code, self.words) = (name, arguments, code, words)
    }

    static func training(_ flags: String..., code: Int32 = 64, words: String...) -> Case {
      var result = Case(flags.joined(separator: " "), Workplace.training + ["--output", "out"] + flags, code)
      result.words = words
      return result
    }

    static func search(_ flags: String..., words: String...) -> Case {
      let call = ["search"] + Workplace.tiny + Workplace.data + ["--output", "out"] + flags
      var result = Case(flags.joined(separator: " "), call)
      result.words = words
      return result
    }
  }

  static let cases: [Case] = [
    Case("mistyped command", ["trian", "--epochs", "3"], 64, "no command called trian", "train"),
    Case("mistyped flag", ["inspect", "--netwrk", "resnet20"], 64, "--netwrk", "Did you mean '--network'?"),
    Case("mistyped network", ["inspect", "resnet21"], 64, "no network called resnet21", "resnet20"),
    Case("no network", ["inspect"], 64, "Name one network"),
    Case("no projection", ["overhead", "--network", "resnet18"], 64, "--project"),
    Case("unknown device", Workplace.training + ["--output", "out", "--device", "gpu"], 64, "--device gpu", "cuda"),
    .training("--epochs", "0", words: "--epochs 0"), .training("--epochs", "-1", words: "--epochs -1"),
    .training("--epochs", "x", words: "'x'", "--epochs"),
    .training("--batch-size", "0", words: "--batch-size 0"),
    .training("--learning-rate", "nan", words: "--learning-rate nan"),
    .training("--learning-rate", "inf", words: "--learning-rate inf"),
    .training("--learning-rate", "-0.1", words: "--learning-rate -0.1"),
    .training("--weight-decay", "nan", words: "weight decay"),
    .training("--label-smoothing", "1", words: "labelSmoothing"),
    .training("--threads", "0", words: "--threads 0"),
    .training("--threads", "99999999999", words: "--threads 99999999999", "1024"),
    .training("--loader-threads", "-1", words: "--loader-threads -1"),
    .training("--divisor", "0", words: "--divisor 0"), .training("--width", "nan", words: "--width nan"),
    .training("--depth", "-1", words: "--depth -1"), .training("--classes", "0", words: "--classes 0"),
    .training("--classes", "1000000000000", words: "--classes 1000000000000"),
    .training("--resolution", "100000", words: "100000", "16384"),
    .training("--subset", "0", words: "--subset 0", "20%"), .training("--subset", "120%", words: "--subset 120%"),
    .training("--subset", "abc", words: "--subset abc"),
    .training("--recipe", "nothing", words: "--recipe nothing", "small"),
    .training("--config", words: "--config"), .training("--quiet", "-v", words: "exclude each other"),
    .training("--overwrite", "--output", "data", words: "no run.yaml", "nothing is removed"),
    .search("--project", "width", words: "not of the form name=value", "width=0.707"),
    .search("--project", "height=1", words: "no \"height\" to project"),
    .search("--project", "data=0", words: "share above 0"),
    .search("--project", "auto", words: "--project auto", "--budget"),
    .search("--flops", "abc", words: "--flops abc", "1.0x"), .search("--flops", "-1x", words: "--flops -1x"),
    .search("--flops", "1x", "--flops", "1.0x", words: "--flops 1.0x is the same as --flops 1x"),
    .search("--algorithm", "magic", words: "--algorithm magic", "dmcp"),
    .search("--algorithm", "morphnet", "--search-option", "kapa=1", words: "--search-option kapa", "nearest: kappa"),
    .search("--search-option", "morphnet.kappa=1", words: "morphnet is not among the methods"),
    .search("--search-option", "kappa", words: "NAME=VALUE"),
    .search("--algorithm", "autoslim", "--search-option", "width=0.5", words: "autoslim: width is 0.5"),
    .search("--search-epochs", "0", words: "--search-epochs 0"),
    Case("no seeds", ["run"] + Workplace.tiny + Workplace.data + ["--output", "o", "--seeds", "0"], 64, "--seeds 0"),
    Case("report of nothing", ["report"], 64, "folders"),
    Case("report of two without a place", ["report", "data", "data"], 64, "--output"),
  ]

  @Test("Wrong usage ends with 64 and a message that names the flag", arguments: cases)
  func usage(wrong: Case) throws {
    let place = try Workplace()
    try place.run(wrong.arguments).expect(wrong.code, wrong.words)
    #expect(!place.has("out"))
    #expect(try place.contents(of: "data").count == 4)
  }

  @Test("Flags that other programs have are told by their name here")
  func familiarFlags() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "out", "--lr", "0.1"]).expect(
      64, "Unknown option '--lr'", "Here --lr is called --learning-rate.")
    try place.run(Workplace.training + ["--output", "out", "--workers", "4"]).expect(64, "--loader-threads")
    try place.run(Workplace.training + ["--output", "out", "--resume"]).expect(
      64, "when the same command is given again")
  }

  @Test("An average of weights that is too slow for its training is warned of")
  func averaging() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "slow", "--averaging-decay", "0.999"]).expect(
      0, "warning: --averaging-decay 0.999", "after all 4 steps", "100 % of the average")
    #expect(
      try !place.run(Workplace.training + ["--output", "fast", "--averaging-decay", "0.5"]).errors.contains("warning"))
  }

  @Test("A negative seed and a batch larger than the data are no errors")
  func unusual() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "out", "--seed", "-3", "--batch-size", "4096"]).expect(0)
  }

  @Test("CUDA where there is none ends with 69 and advice")
  func cuda() throws {
    let place = try Workplace()
    let outcome = try place.run(Workplace.training + ["--output", "out", "--device", "cuda:7"])
    outcome.expect(69, "--device cpu")
    #expect(!place.has("out"))
  }

  /// A command as the program describes itself.
  private struct Command: Decodable {
    var commandName: String
    var subcommands: [Command]?

    /// The words of every command that does something, of this one and of those inside.
    func words(_ outer: [String] = []) -> [[String]] {
      let inner = (subcommands ?? []).filter { $0.commandName != "help" }
      let own = outer + [commandName]
      return inner.isEmpty ? [own] : inner.flatMap { $0.words(own) }
    }
  }

  @Test("Every command that the program has, has help with an example of itself")
  func help() throws {
    struct Tool: Decodable { var command: Command }
    let place = try Workplace()
    let described = try place.run("--experimental-dump-help")
    described.expect(0)
    let tool = try JSONDecoder().decode(Tool.self, from: Data(described.output.utf8))
    let commands = tool.command.words().map { Array($0.dropFirst()) }
    #expect(commands.contains(["compare"]) && commands.contains(["data", "pack"]) && commands.count >= 13)
    for command in commands {
      let outcome = try place.run(command + ["--help"])
      outcome.expect(0)
      let words = command.joined(separator: " ")
      #expect(outcome.output.contains("Example: width-transfer \(words) "), "\(words)")
      #expect(outcome.output.contains("--config"), "\(words)")
      #expect(outcome.errors.isEmpty)
    }
  }

  @Test("The version is one number, and no arguments at all give help")
  func version() throws {
    let place = try Workplace()
    let version = try place.run("--version")
    version.expect(0)
    #expect(version.output.split(separator: ".").count == 3)
    let help = try place.run()
    help.expect(0)
    #expect(help.output.contains("SUBCOMMANDS"))
  }
}
