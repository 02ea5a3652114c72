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
}
