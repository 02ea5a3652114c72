import Foundation
import Support

/// The data sets that have a name of their own.
enum KnownDataset: String, CaseIterable {
  case fashionMNIST = "fashion-mnist"
  case mnist
  case cifar10
  case cifar100
  case tinyImageNet = "tiny-imagenet"

  /// The folder that holds the data set.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing` that names the places looked at and says how to get the data.
  func folder(environment: [String: String]) throws -> String {
    var places: [String] = []
    if self == .fashionMNIST, let path = environment["FASHION_MNIST"], !path.isEmpty { places.append(path) }
    if let data = environment["WIDTH_TRANSFER_DATA"], !data.isEmpty { places.append(data + "/" + rawValue) }
    places.append("data/" + rawValue)
    if self == .fashionMNIST { places.append("/usr/share/datasets/fashion-mnist") }
    var unfinished: String?
    for place in places {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder), isFolder.boolValue else { continue }
      guard isUnfinished(place) else { return place }
      unfinished = unfinished ?? place
    }
    if let unfinished {
      throw FileFailure(
        .missing, path: unfinished,
        reason: "the download is not finished; width-transfer data download \(rawValue) goes on with it")
    }
    throw FileFailure(
      .missing, path: rawValue, reason: "the data set is not at \(places.joined(separator: ", nor at ")). \(advice)")
  }

  /// Whether a folder holds nothing but what a download has left that was stopped.
  private func isUnfinished(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let archives = unpackedFolder == nil ? [] : files.map(\.name)
    return !names.isEmpty
      && names.allSatisfy { $0.hasSuffix(".part") || $0.hasSuffix(".unpacking") || archives.contains($0) }
  }

  /// The folder to download the data set into: the first of those looked at that is meant for all data sets.
  func downloadFolder(environment: [String: String]) -> String {
    if let data = environment["WIDTH_TRANSFER_DATA"], !data.isEmpty { return data + "/" + rawValue }
    return "data/" + rawValue
  }

  private var advice: String {
    let download = "width-transfer data download \(rawValue) fetches it"
    switch self {
    case .fashionMNIST:
      return "\(download). On Debian and Ubuntu, apt-get install dataset-fashion-mnist puts it in place; "
        + "or set FASHION_MNIST to the folder that holds its four files"
    case .mnist:
      return "\(download). Or put its four IDX files there, or set WIDTH_TRANSFER_DATA to the folder that holds "
        + "\(rawValue)/"
    case .cifar10, .cifar100:
      return "\(download). Or put the binary version there, or set WIDTH_TRANSFER_DATA to the folder that holds "
        + "\(rawValue)/"
    case .tinyImageNet:
      return "\(download) and unpacks it. Or set WIDTH_TRANSFER_DATA to the folder that holds \(rawValue)/"
    }
  }
}
