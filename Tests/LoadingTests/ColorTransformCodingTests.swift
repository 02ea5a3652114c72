import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Colour transforms in files")
struct ColorTransformCodingTests {
  private func read(_ text: String) throws -> ColorTransforms {
    try JSONDecoder().decode(ColorTransforms.self, from: Data(text.utf8))
  }

  @Test("are written with their property names and read back")
  func roundTrip() throws {
    let cases: [(ColorTransforms, String)] = [
      (ColorTransforms(), "{}"),
      (ColorTransforms(lighting: LightingNoise(std: 0.25)), #"{"lighting":{"std":0.25}}"#),
      (
        ColorTransforms(
          colorJitter: ColorJitter(brightness: 0.5, contrast: 0.25, saturation: 1, hue: 0.125),
          randAugment: RandAugment(operations: 3, magnitude: 12)),
        #"{"colorJitter":{"brightness":0.5,"contrast":0.25,"hue":0.125,"saturation":1},"#
          + #""randAugment":{"magnitude":12,"operations":3}}"#
      ),
    ]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for (transforms, text) in cases {
      #expect(String(decoding: try encoder.encode(transforms), as: UTF8.self) == text)
      #expect(try read(text) == transforms)
    }
  }

  @Test("take the defaults for what is left out")
  func defaults() throws {
    let all = try read(#"{"colorJitter":{},"randAugment":{},"lighting":{}}"#)
    #expect(all == ColorTransforms(colorJitter: .init(), randAugment: .init(), lighting: .init()))
    #expect(all.randAugment?.operations == 2 && all.randAugment?.magnitude == 9 && all.lighting?.std == 0.1)
    #expect(try read(#"{"colorJitter":{"hue":0.5},"lighting":null}"#).colorJitter == ColorJitter(hue: 0.5))
    #expect(try read("{}").isEmpty)
  }

  @Test(
    "say which key is unknown and which are known, or which value is out of range",
    arguments: [
      (
        #"{"colourJitter":{}}"#,
        "'colourJitter' is not part of the colour transforms; known are colorJitter, randAugment, lighting"
      ),
      (
        #"{"colorJitter":{"gamma":1}}"#,
        "'gamma' is not part of colorJitter; known are brightness, contrast, saturation, hue"
      ),
      (#"{"randAugment":{"strength":1}}"#, "'strength' is not part of randAugment; known are operations, magnitude"),
      (#"{"lighting":{"sigma":1}}"#, "'sigma' is not part of lighting; known are std"),
      (#"{"colorJitter":{"brightness":-0.5}}"#, "colorJitter: brightness is -0.5; it lies in 0...10"),
      (#"{"colorJitter":{"contrast":11}}"#, "colorJitter: contrast is 11.0; it lies in 0...10"),
      (#"{"colorJitter":{"saturation":1e300}}"#, "colorJitter: saturation is 1e+300; it lies in 0...10"),
      (#"{"colorJitter":{"hue":0.6}}"#, "colorJitter: hue is 0.6; it lies in 0...0.5"),
      (#"{"randAugment":{"magnitude":31}}"#, "randAugment: magnitude is 31; it lies in 0...30"),
      (#"{"randAugment":{"operations":-1}}"#, "randAugment: operations is -1; it lies in 0...16"),
      (#"{"lighting":{"std":-0.1}}"#, "lighting: std is -0.1; it lies in 0...10"),
    ])
  func explains(text: String, message: String) throws {
    let error = #expect(throws: DecodingError.self) { try read(text) }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(text) gives \(String(describing: error))")
      return
    }
    #expect(context.debugDescription == message)
  }

  @Test("are validated as a whole")
  func validates() {
    #expect(throws: Never.self) { try ColorTransforms().validate() }
    #expect(throws: UsageFailure("randAugment: magnitude is 40; it lies in 0...30")) {
      try ColorTransforms(randAugment: RandAugment(magnitude: 40)).validate()
    }
    #expect(throws: UsageFailure.self) { try ColorTransforms(colorJitter: ColorJitter(hue: .nan)).validate() }
    #expect(throws: UsageFailure.self) { try ColorTransforms(lighting: LightingNoise(std: .infinity)).validate() }
  }
}
