import Foundation
import Support
import Testing

@testable import Networks

@Suite struct PyTorchSourceTests {
  @Test("Widths are plain numbers, and what is PyTorch's default is not said")
  func text() throws {
    let network = try NetworkZoo.network(named: "mobilenet_v2", classes: 7).scalingWidth(by: 0.5, divisor: 8).resolved()
    let text = try PyTorchSource(network, weights: "w.safetensors", version: "1").text()
    #expect(text.contains("\"features.0.0\": nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),"))
    #expect(text.contains("\"features.0.1\": nn.BatchNorm2d(16),"))
    #expect(text.contains("groups="))
    #expect(text.contains("\"classifier.1\": nn.Linear(\(network.layers.last?.inputs[0].channels ?? 0), 7),"))
    #expect(text.contains("load_file(\"w.safetensors\")"))
    #expect(text.contains("F.dropout(") && !text.contains("def drop_path"))
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test("A module comes before those inside of it, and a name that PyTorch's modules cannot have is refused")
  func nested() throws {
    func source(_ first: String, _ second: String) throws -> String {
      let layers = [
        Layer(name: first, operation: .convolution(Convolution(outputChannels: 3, kernelSize: 1)), inputs: ["input"]),
        Layer(name: second, operation: .convolution(Convolution(outputChannels: 2, kernelSize: 1)), inputs: [first]),
      ]
      return try PyTorchSource(
        Network(name: "n", input: Shape(channels: 1, height: 4, width: 4), layers: layers).resolved()
      ).text()
    }
    let text = try source("a.b", "a")
    let (outer, inner) = (try #require(text.range(of: "\"a\": nn")), try #require(text.range(of: "\"a.b\": nn")))
    #expect(outer.lowerBound < inner.lowerBound)
    for name in ["a.half", "type", "a..b"] { #expect(throws: NetworkFailure.self) { try source(name, "fc") } }
  }

  @Test("Names of a stranger's document do not become code")
  func names() throws {
    let evil = "x\"): __import__('os').system('true') #\n\\é𝄞"
    let layers = [
      Layer(name: evil, operation: .convolution(Convolution(outputChannels: 3, kernelSize: 1)), inputs: ["input"]),
      Layer(name: "def", operation: .activation(.relu), inputs: [evil]),
      Layer(name: "1", operation: .stochasticDepth(StochasticDepth(probability: 0.5)), inputs: ["def"]),
      Layer(name: "layer", operation: .activation(.relu), inputs: ["1"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["layer"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 2)), inputs: ["pool"]),
    ]
    let network = Network(
      name: "\"\"\"\nimport os", input: Shape(channels: 1, height: 4, width: 4), layers: layers)
    guard let resolved = try? network.resolved() else { return }
    let text = try PyTorchSource(resolved).text()
    let key = "\"x\\\"): __import__('os').system('true') #\\u000a\\\\\\u00e9\\U0001d11e\""
    #expect(text.contains("        \(key): nn.Conv2d(1, 3, 1, bias=False),"))
    #expect(
      text.contains("        def_ = F.relu(") && text.contains("        x1 = drop_path(def_, 0.5, self.training)"))
    #expect(text.contains("        layer_ = F.relu(x1)"))
    #expect(text.hasPrefix("\"\"\"import os, as"))
  }
}
