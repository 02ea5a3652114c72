import Foundation

/// Why one address gave nothing, or not all.
struct DownloadObstacle: Error, Equatable {
  enum Kind: Equatable {
    case unresolved
    case unreachable
    case insecure
    case refused
    case lost
  }

  var kind: Kind
  var address: String
  var reason: String

  init(_ kind: Kind, _ address: String, _ reason: String) {
    (self.kind, self.address, self.reason) = (kind, address, reason)
  }

  init(_ failure: TransportFailure, at address: String) {
    switch failure {
    case .unresolved(let reason): self.init(.unresolved, address, reason)
    case .unreachable(let reason): self.init(.unreachable, address, reason)
    case .insecure(let reason): self.init(.insecure, address, reason)
    case .lost(let reason): self.init(.lost, address, reason)
    }
  }

  /// The obstacle as a clause.
  var text: String {
    let host = URLComponents(string: address)?.host ?? address
    return switch kind {
    case .unresolved, .unreachable: "\(host) cannot be reached (\(reason))"
    case .insecure:
      "there is no secure connection to \(host) (\(reason)); check the clock and that ca-certificates is installed"
    case .refused: "\(RemoteFile.shown(address)) \(reason)"
    case .lost: "the connection to \(host) was lost (\(reason))"
    }
  }
}
