import Records
import Transfer

/// What a projection makes smaller for a search: the network, or what it sees.
enum ShrunkPart: String, CaseIterable {
  case network = "from a smaller network"
  case images = "from smaller or fewer images"
  case both = "from both"

  /// Nil for a projection that makes nothing smaller.
  init?(_ projection: Projection, resolution: Int) {
    let isNetwork = projection.width != 1 || projection.depth != 1
    let isImages = projection.data != 1 || projection.resolution.map { $0 != resolution } ?? false
    switch (isNetwork, isImages) {
    case (true, true): self = .both
    case (true, false): self = .network
    case (false, true): self = .images
    case (false, false): return nil
    }
  }
}
