import Foundation
import Support
import Testing
import Torch

@testable import ImageFiles
@testable import Loading

/// The same images as class folders, as tar archives of both kinds and packed: the same samples in the same batches.
@Suite("The same images in another format")
struct SameDataTests {
  private func file(_ index: Int, side: Int) throws -> [UInt8] {
    let image = gradient(width: side, height: side + (side > 20 ? index % 3 : 0), phase: index)
    return index % 3 == 0 ? try png(image) : try jpeg(image, quality: 80)
  }

  // Shuffled on purpose: the order of members must not matter.
  private func make(in folder: String, side: Int) throws -> [(name: String, path: String)] {
    var generator = SeededGenerator(seed: 1)
    var members: [(String, [UInt8])] = []
    var shards: [(String, [UInt8])] = []
    for (split, count) in [("train", 24), ("val", 9)] {
      for index in generator.shuffled(Array(0..<count)) {
        let kind = ["cat", "dog", "Eel"][index % 3]
        // Names whose order by bytes differs from their order by numbers, and a folder within a class.
        let inner = index == 4 ? "more/\(index)" : "\(index)"
        let bytes = try file(index, side: side)
        try write(bytes, to: "\(folder)/folder/\(split)/\(kind)/\(inner).jpg")
        members.append(("\(split)/\(kind)/\(inner).jpg", bytes))
        let label = ["Eel": 0, "cat": 1, "dog": 2][kind]!
        shards += [("\(split)|\(kind)/\(inner).cls", Array("\(label)".utf8)), ("\(split)|\(kind)/\(inner).jpg", bytes)]
      }
    }
    let tar = try TarWriter.write(files: members, to: folder + "/all.tar.gz", .gzip)
    for split in ["train", "val"] {
      let own = shards.filter { $0.0.hasPrefix(split) }.map { (String($0.0.drop { $0 != "|" }.dropFirst()), $0.1) }
      let half = own.count / 4 * 2
      for (number, part) in [own[..<half], own[half...]].enumerated() {
        try FileManager.default.createDirectory(atPath: folder + "/shards", withIntermediateDirectories: true)
        try TarWriter.write(files: Array(part), to: "\(folder)/shards/\(split)-\(number).tar")
      }
    }
    _ = try Packing().write(try Dataset.open(folder + "/folder"), to: folder + "/packed", threads: 2)
    return [("tar", tar), ("WebDataset", folder + "/shards"), ("packed", folder + "/packed")]
  }

  private func batches(_ dataset: Dataset, _ augmentation: Augmentation) throws -> [[Float]] {
    let loaders = [
      try BatchLoader(
        source: dataset.training, batchSize: 5, resolution: 12, normalization: dataset.normalization,
        augmentation: augmentation, seed: 3, shuffles: true, threads: 2),
      try dataset.heldOutLoader(batchSize: 4, resolution: 12),
    ]
    return try loaders.flatMap { loader in
      var all: [[Float]] = []
      let stream = loader.epoch(1)
      while let batch = try stream.next() {
        all.append(try batch.images.array() + batch.labels.array(Int64.self).map(Float.init))
      }
      return all
    }
  }

  @Test("gives the same batches to the bit, of small images and of photographs", arguments: [16, 120])
  func sameBatches(side: Int) throws {
    try withTemporaryFolder { folder in
      let others = try make(in: folder, side: side)
      let reference = try Dataset.open(folder + "/folder")
      for augmentation in [
        Augmentation.padCropFlip(padding: 2, flip: true), .randomResizedCrop(minimumScale: 0.2, flip: true),
      ] {
        let expected = try batches(reference, augmentation)
        #expect(expected.count == 5 + 3)
        for (name, path) in others {
          let dataset = try Dataset.open(path)
          #expect(dataset.resolution == reference.resolution, "\(name)")
          #expect(try batches(dataset, augmentation) == expected, "\(name)")
        }
      }
    }
  }

  @Test("gives the same split where there is none")
  func sameSplit() throws {
    try withTemporaryFolder { folder in
      var members: [(String, [UInt8])] = []
      for index in 0..<30 {
        let name = "\(index % 2 == 0 ? "a" : "b")/\(index).png"
        members.append((name, try png(gradient(width: 8, height: 8, phase: index))))
        try write(members[index].1, to: "\(folder)/folder/\(name)")
      }
      let tar = try TarWriter.write(files: members.reversed(), to: folder + "/all.tar")
      let (first, second) = (try Dataset.open(folder + "/folder"), try Dataset.open(tar))
      #expect(first.heldOut.count == 4)
      for index in 0..<4 { #expect(try first.heldOut.image(at: index) == second.heldOut.image(at: index)) }
    }
  }
}
