import Foundation
import Support

extension Network {
  /// Reads a network from JSON and checks it.
  ///
  /// - Parameters:
  ///   - json: The document, as ``json()`` writes it.
  ///   - file: Where it came from, for messages.
  ///   - operations: Operations from elsewhere that it may hold.
  /// - Throws: ``NetworkFailure`` that names the layer at fault.
  public init(json: Data, file: String? = nil, operations: [any OperationDefinition.Type] = []) throws {
    do {
      let decoder = JSONDecoder()
      decoder.userInfo[.operations] = operations
      let network = try decoder.decode(Network.self, from: json)
      _ = try network.resolved()
      self = network
    } catch let error as DecodingError {
      if case .dataCorrupted(let context) = error, context.debugDescription.contains("not valid JSON"),
        let fault = JSONFault.describe(json)
      {
        throw NetworkFailure(fault, file: file)
      }
      throw NetworkFailure("\(error.place) (a network has a name, an input, layers and stages)", file: file)
    } catch var error as NetworkFailure {
      error.file = file
      throw error
    }
  }

  /// Reads a network from a JSON file and checks it.
  ///
  /// - Throws: ``Support/FileFailure`` when there is no such file, ``NetworkFailure`` when its content is wrong.
  public init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileFailure(.missing, path: path, reason: "there is no such file, or it cannot be read")
    }
    try self.init(json: data, file: path)
  }

  /// The network as readable JSON; equal networks give equal bytes.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    var data = try encoder.encode(self)
    data.append(0x0A)
    return data
  }
}
