import ArgumentParser

/// Which width groups stay as they are.
package struct FixOption: ParsableArguments {
  package init() {}

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Layers whose widths stay as they are, with all that are tied to them: a name or a pattern such as 'layer1.*'. May be given several times.",
      valueName: "pattern"))
  package var fix: [String] = []
}
