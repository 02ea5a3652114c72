import Diagnosis
import Support
import Torch

/// The graph convolutional network of Kipf and Welling (2017) with one hidden layer:
/// Z = Â·drop(ReLU(Â·drop(X)·W1 + b1))·W2 + b2 with Â = D^−½ (A + I) D^−½.
///
/// It is no `Network`: its layers mix nodes by a matrix that is data and not an operation of a layer, and one input is the whole data
/// set. What the diagnosis needs is names and shapes of weights, and these it has: `gc1.weight` [words, hidden] and so on.
public final class GraphConvolution {
  /// Hidden features.
  public let hidden: Int
  /// The learnable tensors by name.
  public let parameters: [(name: String, tensor: Tensor)]
  /// The entries of the words' matrix that are not 0, and their places in it; dropout has nothing to do elsewhere.
  private let entries: Tensor
  private let places: Tensor
  private let blank: Tensor
  private let adjacency: Tensor
  private let papers: Int

  // Whole matrices: papers by papers, papers by words; Cora has 7.3 and 3.9 million entries, PubMed 389 million.
  private static let mostPapers = 1_000_000
  private static let mostEntries = 500_000_000

  /// Creates a network for a graph with Glorot's initialization.
  ///
  /// - Throws: `UsageFailure` for a width below 1 or a graph that is too large; `TorchError`.
  public init(_ graph: CitationGraph, hidden: Int, seed: Int) throws {
    guard hidden >= 1 else { throw UsageFailure("a hidden layer has 1 feature at least, not \(hidden)") }
    let (papers, words) = (graph.features.count, graph.featureCount)
    guard max(papers, words) <= Self.mostPapers, papers * max(papers, words) <= Self.mostEntries else {
      throw UsageFailure(
        "a graph of \(papers) papers and \(words) words is too large: it is held as whole matrices, of papers by papers and of papers by "
          + "words, which may have \(Self.mostEntries) entries")
    }
    self.hidden = hidden
    let generator = try Generator(seed: SeededGenerator(seed: seed, .graphWeights).state)
    func glorot(_ rows: Int, _ columns: Int) throws -> Tensor {
      let limit = (6 / Double(rows + columns)).squareRoot()
      return try Tensor.uniform([rows, columns], low: -limit, high: limit, generator: generator)
    }
    parameters = [
      ("gc1.weight", try glorot(graph.featureCount, hidden)), ("gc1.bias", try Tensor.zeros([hidden])),
      ("gc2.weight", try glorot(hidden, graph.classNames.count)),
      ("gc2.bias", try Tensor.zeros([graph.classNames.count])),
    ]
    for (_, tensor) in parameters { try tensor.setRequiresGradient(true) }
    (entries, places) = try Self.words(graph)
    blank = try Tensor.zeros([graph.features.count * graph.featureCount])
    self.papers = papers
    adjacency = try Self.adjacency(graph)
  }

  /// The hidden layer's channels: columns of the first matrix, rows of the second.
  public var channelGroup: ChannelGroup {
    ChannelGroup(
      id: "gc1", numbers: [1], width: hidden,
      slices: [
        ChannelSlice(tensor: "gc1.weight", axis: 1, side: .incoming),
        ChannelSlice(tensor: "gc2.weight", axis: 0, side: .outgoing),
      ])
  }

  /// Scores of all nodes, [nodes, classes].
  ///
  /// - Parameter dropout: Draws what is dropped while training; nil drops nothing.
  public func forward(dropout: Generator?) throws -> Tensor {
    func dropped(_ tensor: Tensor) throws -> Tensor {
      try dropout.map { try tensor.dropout(0.5, generator: $0) } ?? tensor
    }
    let words = try blank.scattering(0, places, dropped(entries)).reshaped([papers, -1])
    let first =
      try adjacency.matmul(words.matmul(parameters.tensor(named: "gc1.weight"))) + parameters.tensor(named: "gc1.bias")
    let hidden = try dropped(first.relu())
    return try adjacency.matmul(hidden.matmul(parameters.tensor(named: "gc2.weight")))
      + parameters.tensor(named: "gc2.bias")
  }

  // Each paper's words sum to 1.
  private static func words(_ graph: CitationGraph) throws -> (entries: Tensor, places: Tensor) {
    var values: [Float] = []
    var places: [Int64] = []
    for (paper, words) in graph.features.enumerated() {
      let words = Set(words).sorted()
      values += words.map { _ in 1 / Float(words.count) }
      places += words.map { Int64(paper * graph.featureCount + $0) }
    }
    return (try Tensor(values), try Tensor(places))
  }

  // Dense: for some thousand nodes a matrix product is soon done, and LibTorch's backward of sparse ones is slower.
  private static func adjacency(_ graph: CitationGraph) throws -> Tensor {
    let count = graph.features.count
    var degrees = [Float](repeating: 1, count: count)
    for edge in graph.edges {
      degrees[edge[0]] += 1
      degrees[edge[1]] += 1
    }
    var values = [Float](repeating: 0, count: count * count)
    for node in 0..<count { values[node * count + node] = 1 / degrees[node] }
    for edge in graph.edges {
      let weight = 1 / (degrees[edge[0]] * degrees[edge[1]]).squareRoot()
      values[edge[0] * count + edge[1]] = weight
      values[edge[1] * count + edge[0]] = weight
    }
    return try Tensor(values, shape: [count, count])
  }
}
