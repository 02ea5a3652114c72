import Testing

@testable import Support

@Suite struct ProcessorTests {
  @Test(arguments: [
    ("processor\t: 0\nmodel name\t: Some CPU @ 2.10GHz\nflags\t\t: fpu\n", "Some CPU @ 2.10GHz"),
    ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "ARM 0x41, part 0xd0c"),
    ("processor\t: 0\nmodel name\t: \nCPU implementer\t: 0x41\n", Processor.unknown),
    ("", Processor.unknown),
  ])
  func isNamedByTheKernel(text: String, name: String) { #expect(Processor.name(in: text) == name) }
}
