/// Asks servers for files; the protocol lets tests do without a network.
protocol Transport: Sendable {
  /// Asks for `address`, from byte `offset` on when that is not 0, and passes the answer on as it comes.
  ///
  /// Redirections are not followed but passed on.
  ///
  /// - Throws: ``TransportFailure``, and what the receiver throws, which ends the exchange.
  func get(_ address: String, from offset: Int, _ receiver: any TransportReceiver) throws
}

/// Takes one answer in.
protocol TransportReceiver: AnyObject {
  /// Takes the head; returns whether the body is wanted.
  func receive(_ head: HTTPHead) throws -> Bool
  /// Takes the next bytes of the body.
  func receive(_ bytes: UnsafeRawBufferPointer) throws
  /// Called about every second also while nothing comes, so that waiting can be ended by an error.
  func check() throws
}

/// Why an exchange did not come about or to its end.
enum TransportFailure: Error, Equatable {
  /// The name of the server, or of a proxy, cannot be resolved.
  case unresolved(String)
  /// Nobody answers.
  case unreachable(String)
  /// There is an answer, but no secure connection.
  case insecure(String)
  /// The connection broke off.
  case lost(String)
}

/// What a server says before the content.
struct HTTPHead: Equatable, Sendable {
  /// The status code.
  var status: Int
  /// The fields, by lower-case name; of several with one name the last.
  var fields: [String: String] = [:]

  /// How many bytes the body has, if the server says so.
  var length: Int? { fields["content-length"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

  /// Which bytes of the file the body holds: `bytes 100-199/200`.
  var range: (first: Int, total: Int?)? {
    guard let text = fields["content-range"], text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", maxSplits: 1)
    guard let first = parts.first?.split(separator: "-", omittingEmptySubsequences: false).first.flatMap({ Int($0) })
    else { return nil }
    return (first, parts.count > 1 ? Int(parts[1]) : nil)
  }
}
