import ImageFiles
import Support

/// Images whose class is a direction of stripes and a colour, under noise: for tests and trials without data.
public enum PlantedImages {
  /// 32 pixels a side, ten classes.
  public static func dataset(training: Int = 400, heldOut: Int = 200, seed: Int = 0) -> Dataset {
    Dataset(
      name: "planted", training: images(training, seed: seed, part: 0), heldOut: images(heldOut, seed: seed, part: 1),
      resolution: 32, normalization: Normalization(mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]))
  }

  private static func images(_ count: Int, seed: Int, part: Int) -> InMemoryImages {
    var random = SeededGenerator(seed: seed, .plantedImages, at: part)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * 32 * 32 * 3)
    for index in 0..<count {
      let (direction, colour) = (index % 10 / 2, index % 2)
      let shift = random.nextInt(below: 8)
      for y in 0..<32 {
        for x in 0..<32 {
          let along = [x, y, x + y, x - y + 32, x + 2 * y][direction]
          let bright = (along + shift) / 4 % 2 == 0
          for channel in 0..<3 {
            let base = bright ? (channel == 2 * colour ? 200 : 130) : 60
            pixels.append(UInt8(base + random.nextInt(below: 50)))
          }
        }
      }
    }
    return InMemoryImages(
      name: "planted", size: ImageSize(width: 32, height: 32), channels: 3, classNames: (0..<10).map { "\($0)" },
      labels: (0..<count).map { $0 % 10 }, pixels: pixels)
  }
}
