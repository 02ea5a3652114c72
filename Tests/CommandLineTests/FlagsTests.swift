import Support
import Testing

@testable import Commands

@Suite struct FlagsTests {
  @Test(
    "A setting in backquotes becomes its flag, and nothing else does",
    arguments: [
      ("lower `learning-rate` or `flops`", "lower --learning-rate or --flops"),
      ("`recipe` x: there is none", "--recipe x: there is none"),
      ("this is what `train` prints", "this is what `train` prints"),
      ("a file called a`b`c`d", "a file called a`b`c`d"), ("`", "`"), ("``", "``"), ("`flops", "`flops"),
      ("no marks", "no marks"), ("", ""), ("ends with `output`", "ends with --output"),
    ])
  func spelled(text: String, expected: String) { #expect(Flags.spell(text) == expected) }

  @Test("A word that is not UTF-8 is refused as a shell would write it")
  func encoding() throws {
    try ArgumentEncoding.requireUTF8([Array("train".utf8), Array("café".utf8), []])
    let failure = #expect(throws: UsageFailure.self) {
      try ArgumentEncoding.requireUTF8([Array("train".utf8), Array("it's/caf".utf8) + [0xE9, 0x0A]])
    }
    #expect(failure?.message.hasPrefix(#"$'it\x27s/caf\xe9\x0a' is not UTF-8"#) == true)
  }
}
