import Foundation
import ImageFiles
import Interchange
import Support
import Testing

@testable import Training

struct TrainedContextTests {
  @Test(
    "Weights that say their normalization and no classes are given images normalized by it, as the data number them")
  func normalizationAlone() throws {
    let weights = WeightsFile(
      path: "elsewhere.onnx", tensors: [:], metadata: ["normalization": #"{"mean":[0.25],"std":[0.125]}"#])
    let context = try #require(try TrainedContext(weights))
    #expect(context.classNames.isEmpty)
    let seen = try context.applied(to: toyDataset)
    #expect(seen.normalization == Normalization(mean: [0.25], std: [0.125]))
    #expect(seen.classNames == toyDataset.classNames)
    #expect(try TrainedContext(WeightsFile(path: "bare.pth", tensors: [:])) == nil)
    for broken in [#"{"mean":[0.25],"std":[0]}"#, #"{"mean":[1,2],"std":[1,2]}"#, "[]"] {
      #expect(throws: FileFailure.self) {
        try TrainedContext(WeightsFile(path: "bad.onnx", tensors: [:], metadata: ["normalization": broken]))
      }
    }
  }
}
