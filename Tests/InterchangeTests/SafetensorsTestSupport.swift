import Foundation
import Interchange
import Testing

/// Calls `body` with the path of a file that does not exist yet and is removed afterwards.
func withTemporaryPath<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/interchange-\(UUID().uuidString).safetensors"
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Opens `content` as a safetensors file.
func open(_ content: Data) throws -> SafetensorsFile {
  try withTemporaryPath { path in
    try content.write(to: URL(fileURLWithPath: path))
    return try SafetensorsFile(path: path)
  }
}

/// A file with this header, unpadded, and so many data bytes.
func file(header: String, data: Int = 0) -> Data { file(header: Array(header.utf8), data: data) }

func file(header: [UInt8], data: Int = 0) -> Data {
  withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + Data(count: data)
}

func bytes(hexadecimal text: String) -> Data {
  let digits = text.filter { !$0.isWhitespace }
  return Data(
    stride(from: 0, to: digits.count, by: 2).compactMap { offset in
      let start = digits.index(digits.startIndex, offsetBy: offset)
      return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
    })
}

func data<Element>(of elements: [Element]) -> Data { elements.withUnsafeBytes { Data($0) } }
