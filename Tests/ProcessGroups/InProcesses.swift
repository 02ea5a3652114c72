import Foundation
import Support
import Torch

private struct Unchecked<Value>: @unchecked Sendable {
  var value: Value
}

private final class Results<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [Int: Result<Value, any Error>] = [:]

  func set(_ rank: Int, _ value: Result<Value, any Error>) { lock.withLock { values[rank] = value } }
  var all: [Int: Result<Value, any Error>] { lock.withLock { values } }
}

/// Does something in several members of a process group at once, each on a thread of its own, and returns what each brought, by rank.
///
/// A group does not mind that its processes are one: the members share nothing but the group's messages.
public func inProcesses<Value>(
  _ count: Int, timeout: Double = 60, _ body: @escaping (ProcessGroup) throws -> Value
) throws -> [Value] {
  let port = try freePort()
  let results = Results<Value>()
  let body = Unchecked(value: body)
  let members = DispatchGroup()
  for rank in 0..<count {
    members.enter()
    let thread = Thread {
      results.set(
        rank,
        Result {
          let group = try ProcessGroup(
            LaunchedProcess(rank: rank, worldSize: count, address: "127.0.0.1", port: port), timeout: timeout)
          // All are there before one may leave: whoever is still connecting would not find it.
          for root in 0..<count { _ = try group.broadcast(Data(), from: root) }
          return try body.value(group)
        })
      members.leave()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
  members.wait()
  return try (0..<count).map { try results.all[$0]!.get() }
}

/// A port of this machine that nobody listens on.
public func freePort() throws -> Int {
  let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(socket) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  let status = withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      bind(socket, pointer, size) == 0 && getsockname(socket, pointer, &size) == 0
    }
  }
  guard status else { throw POSIXError(.EADDRNOTAVAIL) }
  return Int(UInt16(bigEndian: address.sin_port))
}
