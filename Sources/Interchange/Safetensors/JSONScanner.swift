/// What is wrong with a piece of JSON, and at which byte.
struct JSONScannerError: Error {
  var offset: Int
  var reason: String
}

/// A strict reader of JSON, value by value, that refuses what `JSONDecoder` lets pass: duplicate keys, above all.
///
/// It reads the few shapes of value that a safetensors header is made of; any other value can only be skipped.
struct JSONScanner {
  private static let deepestNesting = 64
  private let bytes: UnsafeRawBufferPointer
  /// The byte that is read next.
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  func failure(_ reason: String, at offset: Int? = nil) -> JSONScannerError {
    JSONScannerError(offset: offset ?? position, reason: reason)
  }

  /// Reads an object and calls `member` with each key, at the place of its value; `member` must consume the value.
  mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
    try expect("{", "an object")
    skipWhitespace()
    if consume("}") { return }
    var keys = Set<String>()
    repeat {
      skipWhitespace()
      let start = position
      let key = try string()
      guard keys.insert(key).inserted else { throw failure("the key '\(key)' occurs twice", at: start) }
      skipWhitespace()
      try expect(":", "a colon after the key '\(key)'")
      skipWhitespace()
      try member(&self, key)
      skipWhitespace()
    } while consume(",")
    try expect("}", "a comma or the end of the object")
  }

  /// Reads an array of non-negative integers.
  mutating func integers() throws -> [Int] {
    var values: [Int] = []
    try expect("[", "an array of whole numbers")
    skipWhitespace()
    if consume("]") { return values }
    repeat {
      skipWhitespace()
      values.append(try integer())
      skipWhitespace()
    } while consume(",")
    try expect("]", "a comma or the end of the array")
    return values
  }

  /// Reads a non-negative integer that fits `Int`, written without fraction or exponent.
  mutating func integer() throws -> Int {
    let start = position
    var value = 0
    while let digit = peek(), (0x30...0x39).contains(digit) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(digit) - 0x30)
      if overflow || carry { throw failure("the number is too large", at: start) }
      value = sum
      position += 1
    }
    let count = position - start
    let next = peek()
    let isFraction = next == 0x2E || next == 0x65 || next == 0x45  // . e E
    guard count > 0, !isFraction else { throw failure("expected a whole number, zero or larger", at: start) }
    guard count == 1 || bytes[start] != 0x30 else { throw failure("a number starts with 0", at: start) }
    return value
  }

  /// Reads a string.
  mutating func string() throws -> String {
    let start = position
    try expect("\"", "a string")
    var content: [UInt8] = []
    while let byte = peek() {
      position += 1
      switch byte {
      case 0x22:
        guard let text = String(validating: content, as: UTF8.self) else {
          throw failure("the string is not UTF-8", at: start)
        }
        return text
      case 0x5C: try escape(into: &content)
      case 0..<0x20: throw failure("a control character stands in a string", at: position - 1)
      default: content.append(byte)
      }
    }
    throw failure("the string has no end", at: start)
  }

  /// Passes over any value.
  mutating func skipValue(depth: Int = 0) throws {
    guard depth < Self.deepestNesting else { throw failure("values are nested too deeply") }
    switch peek() {
    case UInt8(ascii: "{"):
      try object { scanner, _ in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      position += 1
      skipWhitespace()
      if consume("]") { return }
      repeat {
        skipWhitespace()
        try skipValue(depth: depth + 1)
        skipWhitespace()
      } while consume(",")
      try expect("]", "a comma or the end of the array")
    case UInt8(ascii: "\""): _ = try string()
    default: try skipScalar()
    }
  }

  mutating func skipWhitespace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func consume(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar, _ what: String) throws {
    guard consume(character) else { throw failure("expected \(what)") }
  }

  // Numbers are not parsed where they are only passed over: a run of their characters is enough.
  private mutating func skipScalar() throws {
    for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return
    }
    let start = position
    while let byte = peek(), "+-.0123456789eE".utf8.contains(byte) { position += 1 }
    if position == start { throw failure("expected a value") }
  }

  private mutating func escape(into content: inout [UInt8]) throws {
    let start = position - 1
    guard let byte = peek() else { throw failure("the string has no end", at: start) }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code) {
        guard consume("\\"), consume("u") else { throw failure("half a surrogate pair", at: start) }
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair", at: start) }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair", at: start) }
      content.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    default: throw failure("an unknown escape in a string", at: start)
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard bytes.count - position >= 4,
      let text = String(validating: bytes[position..<position + 4], as: UTF8.self),
      text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }), let code = UInt32(text, radix: 16)
    else { throw failure("expected four hexadecimal digits") }
    position += 4
    return code
  }
}
