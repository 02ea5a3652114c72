extension PixelImage {
  /// This image moved by `map`, each pixel taken from the nearest one, and black where there is none.
  ///
  /// Places are counted in 65536ths of a pixel, like Pillow does for images of less than 32768 pixels a side.
  func transformed(by map: AffineMap) -> PixelImage {
    let (width, height, channels) = (width, height, channels)
    // The middle of the first pixel, and the steps from pixel to pixel.
    let x0 = Self.fixed(map.x0 + map.xx * 0.5 + map.xy * 0.5)
    let y0 = Self.fixed(map.y0 + map.yx * 0.5 + map.yy * 0.5)
    let (xx, xy, yx, yy) = (Self.fixed(map.xx), Self.fixed(map.xy), Self.fixed(map.yx), Self.fixed(map.yy))
    return replacingSamples { input, output in
      var index = 0
      for row in 0..<height {
        var x = x0 &+ xy &* row
        var y = y0 &+ yy &* row
        for _ in 0..<width {
          let (column, line) = (x >> 16, y >> 16)
          // Written out for 1 and 3 channels: a loop over them takes twice as long.
          if column >= 0, column < width, line >= 0, line < height {
            let source = (line &* width &+ column) &* channels
            output[index] = input[source]
            if channels == 3 {
              output[index &+ 1] = input[source &+ 1]
              output[index &+ 2] = input[source &+ 2]
            }
          } else {
            output[index] = 0
            if channels == 3 {
              output[index &+ 1] = 0
              output[index &+ 2] = 0
            }
          }
          index &+= channels
          x &+= xx
          y &+= yx
        }
      }
    }
  }

  private static func fixed(_ number: Double) -> Int { Int((number * 65536 + 0.5).rounded(.down)) }
}
