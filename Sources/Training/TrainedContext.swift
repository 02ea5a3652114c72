import Foundation
import ImageFiles
import Interchange
import Support

/// What a trained network must know of its data to be used on others: it travels with the weights, in their file's header.
public struct TrainedContext: Equatable, Sendable {
  /// The names of the classes, in the order of the outputs; empty for a network from elsewhere that says its normalization alone.
  public var classNames: [String]
  /// How samples became the numbers that the network saw.
  public var normalization: Normalization

  /// The context of a training on these data.
  public init(_ dataset: Dataset) {
    classNames = dataset.classNames
    normalization = dataset.normalization
  }

  /// What a file of weights says; nil for one from elsewhere.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `badData` when what it says cannot be understood.
  public init?(_ file: WeightsFile) throws {
    guard let normalization = file.metadata[Key.normalization.rawValue] else { return nil }
    do {
      let classes = file.metadata[Key.classes.rawValue] ?? "[]"
      classNames = try JSONDecoder().decode([String].self, from: Data(classes.utf8))
      let values = try JSONDecoder().decode(Values.self, from: Data(normalization.utf8))
      guard values.mean.count == values.std.count, [1, 3].contains(values.mean.count),
        values.std.allSatisfy({ $0 > 0 }),
        (values.mean + values.std).allSatisfy(\.isFinite)
      else { throw FileFailure(.badData, path: file.path, reason: "the normalization in its header makes no sense") }
      self.normalization = Normalization(mean: values.mean, std: values.std)
    } catch let error as DecodingError {
      throw FileFailure(
        .badData, path: file.path,
        reason: "what its header says of classes and normalization cannot be read: \(error.place)")
    }
  }

  /// For the header of a file of weights.
  public var metadata: [String: String] {
    get throws {
      [
        Key.classes.rawValue: String(decoding: try JSONEncoder.compact.encode(classNames), as: UTF8.self),
        Key.normalization.rawValue: String(
          decoding: try JSONEncoder.compact.encode(Values(mean: normalization.mean, std: normalization.std)),
          as: UTF8.self),
      ]
    }
  }

  /// Data as the network was trained to see them: normalized as its own were, and with its classes in its order.
  ///
  /// - Parameter namesMatter: Whether other names are refused; else classes are taken as they are numbered.
  /// - Throws: ``Support/UsageFailure`` when both sides name their classes and the names are not the same.
  public func applied(to dataset: Dataset, namesMatter: Bool = true) throws -> Dataset {
    let seen = dataset.normalized(by: normalization)
    guard namesMatter, dataset.namesClasses, Dataset.areNames(classNames) else { return seen }
    if let ordered = seen.ordered(byClasses: classNames) { return ordered }
    let (own, others) = (Set(classNames), Set(dataset.classNames))
    let missing = classNames.filter { !others.contains($0) }
    let unknown = dataset.classNames.filter { !own.contains($0) }
    func list(_ names: [String]) -> String {
      names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
    throw UsageFailure(
      "the weights tell apart \(list(classNames)); \(dataset.name) has "
        + (unknown.isEmpty ? "no \(list(missing))" : "the class\(unknown.count == 1 ? "" : "es") \(list(unknown))")
        + (dataset.classNames.count == classNames.count
          ? ". If these are the same things in the same order, `ignore-class-names` takes them as they are numbered"
          : ""))
  }

  private enum Key: String { case classes, normalization }

  private struct Values: Codable {
    var mean: [Float]
    var std: [Float]
  }
}
