import CCurl
import Foundation

/// Speaks HTTP and HTTPS through libcurl, which also minds the usual proxy variables of the environment.
struct CurlTransport: Transport {
  /// How long a connection may take to come about, in seconds.
  var connectSeconds = 20
  /// How long nothing may come before a connection counts as lost, in seconds.
  var stallSeconds = 60

  private static let isReady = curl_global_init(3 /* CURL_GLOBAL_ALL */) == CURLE_OK

  func get(_ address: String, from offset: Int, _ receiver: any TransportReceiver) throws {
    // Until after the clean-up, which may still write and call.
    let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    defer { reason.deallocate() }
    let exchange = CurlExchange(receiver, patience: .seconds(stallSeconds))
    try withExtendedLifetime(exchange) { try perform(address, offset, exchange, reason) }
  }

  private func perform(
    _ address: String, _ offset: Int, _ exchange: CurlExchange, _ reason: UnsafeMutablePointer<CChar>
  ) throws {
    guard Self.isReady, let handle = curl_easy_init() else {
      throw TransportFailure.lost("libcurl has no memory for a connection")
    }
    defer { curl_easy_cleanup(handle) }
    prepare(handle, address, offset)
    wt_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason)
    exchange.connect(to: handle)
    let code = curl_easy_perform(handle)
    if let error = exchange.error { throw error }
    guard code != CURLE_OK, !exchange.isStopped else { return }
    var text = reason.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: reason)
    if exchange.isSilent { text = "nothing came for \(stallSeconds) s" }
    throw Self.failure(code, text, hasAnswer: exchange.hasAnswer)
  }

  private func prepare(_ handle: UnsafeMutableRawPointer, _ address: String, _ offset: Int) {
    wt_curl_set_text(handle, CURLOPT_URL, address)
    wt_curl_allow_http_only(handle)
    wt_curl_set_text(handle, CURLOPT_USERAGENT, "width-transfer")
    if offset > 0 { wt_curl_set_text(handle, CURLOPT_RANGE, "\(offset)-") }
    wt_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, connectSeconds)
    wt_curl_set_number(handle, CURLOPT_BUFFERSIZE, 1 << 18)
    // No signal handlers of its own, and none of a proxy's heads.
    wt_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
    wt_curl_set_number(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    wt_curl_set_number(handle, CURLOPT_NOPROGRESS, 0)
    wt_curl_leave_quickly(handle)
  }

  private static func failure(_ code: CURLcode, _ text: String, hasAnswer: Bool) -> TransportFailure {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved(text)
    case CURLE_COULDNT_CONNECT: .unreachable(text)
    case CURLE_OPERATION_TIMEDOUT, CURLE_ABORTED_BY_CALLBACK: hasAnswer ? .lost(text) : .unreachable(text)
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      .insecure(text)
    // A proxy that refuses, something that does not speak HTTP: the server never said a word.
    default: hasAnswer ? .lost(text) : .unreachable(text)
    }
  }
}

/// The Swift end of libcurl's callbacks.
private final class CurlExchange {
  private(set) var error: (any Error)?
  private(set) var isStopped = false
  private(set) var hasAnswer = false
  private(set) var isSilent = false
  private let receiver: any TransportReceiver
  private let patience: Duration
  private var head: HTTPHead?
  private var heard = ContinuousClock.now

  init(_ receiver: any TransportReceiver, patience: Duration) {
    self.receiver = receiver
    self.patience = patience
  }

  /// The handle must not outlive the exchange.
  func connect(to handle: UnsafeMutableRawPointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    wt_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    wt_curl_set_receiver(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      CurlExchange.at(context)?.header(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    wt_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    wt_curl_set_receiver(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      let bytes = UnsafeRawBufferPointer(start: bytes, count: size * count)
      guard let exchange = CurlExchange.at(context) else { return 0 }
      exchange.heard = .now
      return exchange.attempt { try exchange.receiver.receive(bytes) } ? bytes.count : 0
    }
    wt_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
    wt_curl_set_progress(handle) { context, _, _, _, _ in
      guard let exchange = CurlExchange.at(context) else { return 1 }
      exchange.isSilent = ContinuousClock.now - exchange.heard > exchange.patience
      return exchange.attempt { try exchange.receiver.check() } && !exchange.isSilent ? 0 : 1
    }
  }

  private static func at(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
    context.map { Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
  }

  // An error cannot pass through C: it waits here until libcurl has returned.
  private func attempt(_ body: () throws -> Void) -> Bool {
    guard error == nil else { return false }
    do {
      try body()
      return true
    } catch {
      self.error = error
      return false
    }
  }

  // One line of the head; returns the number of bytes taken, anything else ends the exchange.
  private func header(_ bytes: UnsafeRawBufferPointer) -> Int {
    let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    if line.hasPrefix("HTTP/") {
      head = HTTPHead(status: line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
      // "Wait a little longer" without end is silence too.
      if let head, !(100..<200).contains(head.status) { heard = .now }
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      head?.fields[line[..<colon].lowercased()] = value
    } else if line.isEmpty, let head, !(100..<200).contains(head.status) {
      hasAnswer = true
      self.head = nil
      var isWanted = false
      guard attempt({ isWanted = try receiver.receive(head) }), isWanted else {
        isStopped = true
        return bytes.count == 0 ? 1 : 0
      }
    }
    return bytes.count
  }
}
