import Foundation
import Interchange
import Networks
import Support

extension ONNXImport {
  /// The weights of the file under the names that the network's tensors have in a state dict.
  ///
  /// A batch normalization that was put back computes in inference what the file does: its shift is the bias that the exporter wrote, its
  /// mean 0, its variance 1. In training it would begin anew.
  ///
  /// - Parameter metadata: What the weights are to say of themselves.
  /// - Throws: `FileFailure` when a tensor is missing, is computed by the graph, or lies in a file that is not there.
  public func weights(metadata: [String: String] = [:]) throws -> WeightsFile {
    let numbers = try ONNXNumbers(path: path)
    var tensors: [String: (shape: [Int], data: Data)] = [:]
    for layer in try network.resolved().layers {
      let own = layer.layer.name
      let outputs = layer.output.channels
      var forms = layer.layer.operation.definition.parameters.map { form in
        (form.name(in: own), form.shape(input: layer.inputs.first?.channels ?? 0, output: outputs))
      }
      if case .batchNorm = layer.layer.operation {
        forms += ["running_mean", "running_var"].map { ("\(own).\($0)", [outputs]) }
      }
      for (name, shape) in forms {
        let data: Data
        switch state[name] {
        case .tensor(let tensor, let turn): data = try numbers.data(tensor, turn: turn)
        case .constant(let value, let count):
          data = [Float](repeating: Float(value), count: count).withUnsafeBytes { Data($0) }
        case nil:
          throw FileFailure(
            .badData, path: path, reason: "\(ONNXFault.shown(name)) is no tensor of the file: the graph computes it")
        }
        let count = shape.reduce(1, *)
        guard data.count == 4 * count else {
          throw FileFailure(
            .badData, path: path,
            reason: "\(ONNXFault.shown(name)) has \(data.count / 4) numbers, and \(network.name) needs \(count)")
        }
        tensors[name] = (shape, data)
      }
    }
    return WeightsFile(path: path, tensors: tensors, metadata: metadata)
  }
}
