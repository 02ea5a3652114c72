/// Reads what `torch.save` writes with Python's pickle, protocols 2 to 5, without running any of it.
///
/// A pickle is a program for a stack machine that may call anything. This reader knows the few calls that put tensors and ordered
/// dictionaries together; the result of every other is an opaque value, of which nothing can be had. The operations are those of
/// Python's `pickletools`.
struct PickleReader {
  private let bytes: UnsafeRawBufferPointer
  /// The byte that is read next.
  private(set) var position: Int
  /// What lists, tuples and sets hold.
  private(set) var items: [[Pickle]] = []
  /// What dictionaries hold, in the order in which it was put there.
  private(set) var dictionaries: [[(key: Pickle, value: Pickle)]] = []
  private var stack: [Pickle] = []
  private var marks: [Int] = []
  private var memo: [Int: Pickle] = [:]
  private var copied = 0
  private static let mostCopies = 4_000_000

  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// Reads one pickle, up to its end.
  ///
  /// - Throws: ``PickleError``.
  mutating func read() throws -> Pickle {
    (stack, marks, memo) = ([], [], [:])
    while true {
      let start = position
      let code = try byte()
      guard code != UInt8(ascii: ".") else { return try pop() }
      guard try perform(code) else {
        throw PickleError(offset: start, reason: "operation \(code) is not one that torch.save writes")
      }
    }
  }

  private mutating func perform(_ code: UInt8) throws -> Bool {
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try take(8)  // FRAME
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    default: return try performScalar(code) || performText(code) || performCollection(code) || performObject(code)
    }
    return true
  }

  private mutating func performScalar(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.int(Int(try byte())))
    case UInt8(ascii: "M"): stack.append(.int(try count(2)))
    case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try count(4)))))
    case 0x8A: stack.append(try long(Int(try byte())))
    case 0x8B: stack.append(try long(try count(4)))
    case UInt8(ascii: "G"):
      stack.append(.float(Double(bitPattern: UInt64(bigEndian: try take(8).loadUnaligned(as: UInt64.self)))))
    default: return false
    }
    return true
  }

  private mutating func performText(_ code: UInt8) throws -> Bool {
    let length: Int
    switch code {
    case UInt8(ascii: "U"), 0x8C, UInt8(ascii: "C"): length = try count(1)
    case UInt8(ascii: "X"), UInt8(ascii: "T"), UInt8(ascii: "B"): length = try count(4)
    case 0x8D, 0x8E, 0x96: length = try count(8)
    default: return false
    }
    stack.append(.text(String(decoding: try take(length), as: UTF8.self)))
    return true
  }

  private mutating func performCollection(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "]"), UInt8(ascii: ")"), 0x8F: stack.append(collection([]))
    case UInt8(ascii: "l"), UInt8(ascii: "t"), 0x91:
      let values = try popToMark()
      stack.append(collection(values))
    case 0x85, 0x86, 0x87:
      let size = Int(code - 0x84)
      guard stack.count >= size else { throw failure("its stack runs empty") }
      let values = Array(stack.suffix(size))
      stack.removeLast(size)
      stack.append(collection(values))
    case UInt8(ascii: "a"): try add([try pop()])
    case UInt8(ascii: "e"), 0x90: try add(try popToMark())
    case UInt8(ascii: "}"): stack.append(dictionary([]))
    case UInt8(ascii: "d"):
      let pairs = try self.pairs(try popToMark())
      stack.append(dictionary(pairs))
    case UInt8(ascii: "s"):
      let value = try pop()
      try set([(try pop(), value)])
    case UInt8(ascii: "u"): try set(try pairs(try popToMark()))
    default: return false
    }
    return true
  }

  private mutating func performObject(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "q"): memo[try count(1)] = try top()
    case UInt8(ascii: "r"): memo[try count(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(try count(1))
    case UInt8(ascii: "j"): try recall(try count(4))
    case UInt8(ascii: "c"): stack.append(.global("\(try line()).\(try line())"))
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw failure("a name is no text")
      }
      stack.append(.global("\(module).\(name)"))
    case UInt8(ascii: "R"), 0x81:
      let arguments = try pop()
      stack.append(call(try pop(), list(arguments)))
    case 0x92:
      _ = try pop()
      let arguments = try pop()
      stack.append(call(try pop(), list(arguments)))
    // What an object is made of beside its arguments, such as a state dict's versions.
    case UInt8(ascii: "b"): _ = try pop()
    case UInt8(ascii: "Q"): stack.append(persistent(list(try pop())))
    default: return false
    }
    return true
  }

  // MARK: - What is put together

  private mutating func call(_ function: Pickle, _ arguments: [Pickle]) -> Pickle {
    guard case .global(let name) = function else { return .opaque("a call") }
    switch name {
    case "collections.OrderedDict":
      let entries = arguments.first.map(list) ?? []
      // A list that is remembered can be made a dictionary of again and again, and each is a copy.
      copied += entries.count
      guard copied <= Self.mostCopies else { return .opaque("too many dictionaries") }
      return dictionary(
        entries.compactMap {
          let pair = list($0)
          return pair.count == 2 ? (pair[0], pair[1]) : nil
        })
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
      return view(arguments) ?? .opaque(name)
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      return arguments.first ?? .opaque(name)
    case "torch._tensor._rebuild_from_type_v2":
      // Not of itself, which could go on for ever.
      guard arguments.count >= 3, case .global(let inner) = arguments[0], inner != name else { return .opaque(name) }
      return call(arguments[0], list(arguments[2]))
    default: return .opaque(name)
    }
  }

  private func view(_ arguments: [Pickle]) -> Pickle? {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0], case .int(let offset) = arguments[1],
      let shape = integers(arguments[2]), let strides = integers(arguments[3])
    else { return nil }
    return .tensor(.init(storage: storage, offset: offset, shape: shape, strides: strides))
  }

  // ('storage', torch.FloatStorage, key, device, elements, …): where torch.save puts a storage that stands elsewhere in the file.
  private func persistent(_ values: [Pickle]) -> Pickle {
    guard values.count >= 5, case .text("storage") = values[0], case .global(let type) = values[1],
      case .text(let key) = values[2], case .int(let elements) = values[4]
    else { return .opaque("a persistent value") }
    return .storage(.init(key: key, type: type, elements: elements))
  }

  private func integers(_ value: Pickle) -> [Int]? {
    // A list that is remembered can be named as a shape any number of times: a long one is none, and is not copied.
    guard case .items(let place) = value, items[place].count <= PyTorchCheckpoint.mostDimensions else { return nil }
    let numbers = items[place].compactMap { value -> Int? in
      if case .int(let number) = value { return number } else { return nil }
    }
    return numbers.count == items[place].count ? numbers : nil
  }

  func list(_ value: Pickle) -> [Pickle] {
    if case .items(let place) = value { return items[place] } else { return [] }
  }

  private mutating func collection(_ values: [Pickle]) -> Pickle {
    items.append(values)
    return .items(items.count - 1)
  }

  private mutating func dictionary(_ pairs: [(key: Pickle, value: Pickle)]) -> Pickle {
    dictionaries.append(pairs)
    return .dictionary(dictionaries.count - 1)
  }

  private mutating func add(_ values: [Pickle]) throws {
    // Into an object of a class: its own affair.
    if case .items(let place) = try top() { items[place] += values }
  }

  private mutating func set(_ pairs: [(Pickle, Pickle)]) throws {
    if case .dictionary(let place) = try top() { dictionaries[place] += pairs.map { ($0, $1) } }
  }

  private func pairs(_ values: [Pickle]) throws -> [(Pickle, Pickle)] {
    guard values.count.isMultiple(of: 2) else { throw failure("a key has no value") }
    return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  // MARK: - Stack and bytes

  private func failure(_ reason: String) -> PickleError { PickleError(offset: position, reason: reason) }

  private func top() throws -> Pickle {
    guard let last = stack.last else { throw failure("its stack runs empty") }
    return last
  }

  private mutating func pop() throws -> Pickle {
    guard let last = stack.popLast() else { throw failure("its stack runs empty") }
    return last
  }

  private mutating func popToMark() throws -> [Pickle] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw failure("a mark is missing") }
    let values = Array(stack[mark...])
    stack.removeLast(stack.count - mark)
    return values
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw failure("it refers to what was never kept") }
    stack.append(value)
  }

  private mutating func byte() throws -> UInt8 { try take(1)[0] }

  private mutating func take(_ length: Int) throws -> UnsafeRawBufferPointer {
    guard length >= 0, length <= bytes.count - position else { throw failure("it ends too early") }
    defer { position += length }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
  }

  /// An unsigned number of up to eight bytes; one that no Int holds is none that a file could mean.
  private mutating func count(_ length: Int) throws -> Int {
    let value = try take(length).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: value) else { throw failure("a length is out of all bounds") }
    return number
  }

  /// A signed number of any length; one that no Int holds is kept as unknown.
  private mutating func long(_ length: Int) throws -> Pickle {
    let digits = try take(length)
    guard let highest = digits.last else { return .int(0) }
    guard digits.count <= 8 else { return .opaque("a long number") }
    let start: UInt64 = highest & 0x80 == 0 ? 0 : .max
    return .int(Int(Int64(bitPattern: digits.reversed().reduce(start) { $0 << 8 | UInt64($1) })))
  }

  private mutating func line() throws -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { throw failure("a name does not end") }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }
}
