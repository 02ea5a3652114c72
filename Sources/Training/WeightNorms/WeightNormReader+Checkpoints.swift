import Diagnosis
import Interchange
import Networks
import Support
import Torch

extension ResolvedNetwork {
  /// The network with as many classes as a file of its weights has.
  ///
  /// - Throws: `NetworkFailure` when no single layer decides the number of classes.
  public func takingClasses(from file: WeightsFile) throws -> ResolvedNetwork {
    let entries = ParameterLayout(self).entries.filter { $0.role == .weight }
    guard let last = entries.last, let entry = file.entries[file.prefix(of: entries.map(\.name)) + last.name],
      let classes = entry.shape.first, classes != last.shape[0]
    else { return self }
    return try network.with(classes: classes).resolved()
  }
}

extension WeightNormReader {
  /// The samples of a series of checkpoints, whatever program wrote them.
  ///
  /// What wrappers put in front of every name is passed over, as in ``Model/load(_:)``.
  ///
  /// - Parameters:
  ///   - network: The network whose groups these are; a file of other shapes is refused.
  ///   - note: Told of each file before it is read.
  /// - Throws: `FileFailure` that names the first file and tensor which do not fit.
  public func samples(
    of checkpoints: CheckpointSeries, network: ResolvedNetwork, note: (String) throws -> Void = { _ in }
  ) throws -> [NormSample] {
    let entries = ParameterLayout(network).entries
    let shapes = Dictionary(entries.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    let names = Set(groups.flatMap(\.slices).map(\.tensor))
    return try checkpoints.files.flatMap { checkpoint in
      let (epoch, path) = (checkpoint.epoch, checkpoint.path)
      try note(path)
      let file = try WeightsFile(path: path)
      let prefix = file.prefix(of: Array(names))
      var tensors: [String: Tensor] = [:]
      let norms = try read { name in
        if let tensor = tensors[name] { return tensor }
        guard let entry = file.entries[prefix + name] else {
          throw FileFailure(
            .badData, path: path,
            reason:
              "\(name) is missing, which \(network.name) needs (the file holds \(file.entries.count) tensors); was it written "
              + "for another network?")
        }
        guard let shape = shapes[name], entry.shape == shape else {
          throw FileFailure(
            .badData, path: path,
            reason:
              "\(name): file has \(entry.shape), network expects \(shapes[name] ?? []). The file was written for other widths or "
              + "classes: name them with `widths` or `classes`")
        }
        let tensor = try file.tensor(prefix + name)
        tensors[name] = tensor
        return tensor
      }
      return samples(norms, epoch: epoch)
    }
  }
}
