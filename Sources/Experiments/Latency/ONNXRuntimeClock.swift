import Foundation
import Networks
import ONNX
import Support
import Torch
import Training

#if canImport(Glibc)
  import Glibc
#endif

/// Measures with onnxruntime, in a Python process that has it: what networks are deployed with more often than with LibTorch.
///
/// Networks are handed over as ONNX files as `export` writes them, batch normalizations folded.
public final class ONNXRuntimeClock: LatencyClock {
  /// `onnxruntime` with its version.
  public let runtime: String
  /// The threads inside one operation.
  public let threads: Int
  private let process: Process
  private let requests: FileHandle
  private let answers: FileHandle
  private var unread = Data()
  private let folder: URL
  private let cancellation: Cancellation

  /// Starts Python.
  ///
  /// - Parameters:
  ///   - python: The interpreter: a path, or a name to be looked up.
  ///   - threads: Threads inside one operation.
  ///   - cancellation: What may stop it.
  /// - Throws: `MissingFailure` when there is no such interpreter, or it has no onnxruntime.
  public init(python: String, threads: Int, _ cancellation: Cancellation = .signals) throws {
    self.threads = threads
    self.cancellation = cancellation
    folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
      "width-transfer-latency-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let missing = MissingFailure(
      "`runtime` onnxruntime needs a Python that has it, and \(python) does not: pip install onnxruntime, or name another with --python"
    )
    let (input, output) = (Pipe(), Pipe())
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, "-c", Self.program, "\(threads)", folder.path]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    self.process = process
    requests = input.fileHandleForWriting
    answers = output.fileHandleForReading
    do { try process.run() } catch { throw missing }
    var first = Data()
    guard let version = try? Self.line(from: answers, &first), !version.isEmpty else {
      try? FileManager.default.removeItem(at: folder)
      throw missing
    }
    runtime = "onnxruntime \(version)"
    unread = first
  }

  deinit {
    try? requests.close()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// The seconds of one call.
  public func seconds(of network: ResolvedNetwork) throws -> Double { try seconds(of: network, "whole") }

  /// The seconds of one call, less the part that goes into reordering channels.
  public func seconds(ofStep network: ResolvedNetwork) throws -> Double { try seconds(of: network, "step") }

  private func seconds(of network: ResolvedNetwork, _ kind: String) throws -> Double {
    if let signal = cancellation.signal { throw Interrupted(signal: signal, saved: nil) }
    let path = folder.appendingPathComponent("network.onnx").path
    try Self.onnx(of: network).write(to: URL(fileURLWithPath: path))
    try requests.write(contentsOf: Data("\(kind) \(path)\n".utf8))
    let answer = try Self.line(from: answers, &unread)
    if let signal = cancellation.signal { throw Interrupted(signal: signal, saved: nil) }
    guard let seconds = answer.flatMap(Double.init), seconds.isFinite, seconds > 0 else {
      throw MissingFailure(
        "onnxruntime does not run \(network.name) on this machine: \(answer ?? "its process ended")")
    }
    return seconds
  }

  private static func onnx(of network: ResolvedNetwork) throws -> Data {
    let folded = try network.withoutFoldedNormalizations()
    return try ONNXExport(folded, batchNormalization: .keep, metadata: [:], version: "").data(Model(folded, seed: 0))
  }

  // One line without its end; nil when no more come.
  private static func line(from handle: FileHandle, _ unread: inout Data) throws -> String? {
    while true {
      if let end = unread.firstIndex(of: 0x0A) {
        let line = String(decoding: unread[unread.startIndex..<end], as: UTF8.self)
        unread = Data(unread[(end + 1)...])
        return line
      }
      // Not `FileHandle`'s own reading, which waits for as many bytes as it is asked for.
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(handle.fileDescriptor, &bytes, bytes.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return nil }
      unread.append(contentsOf: bytes.prefix(count))
    }
  }

  // The least over rounds, as `Timing`. A profile, whose times are whole microseconds, says which part of a step's kernels reorders.
  private static let program = """
    import json, os, signal, sys, time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import numpy as np
    import onnxruntime as ort
    threads, folder = int(sys.argv[1]), sys.argv[2]
    os.chdir(folder)
    print(ort.__version__, flush=True)

    def session(path, profiles):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_profiling = profiles
        options.profile_file_prefix = "profile"
        made = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        entry = made.get_inputs()[0]
        shape = [n if isinstance(n, int) else 1 for n in entry.shape]
        return made, {entry.name: np.random.default_rng(0).standard_normal(shape).astype(np.float32)}

    def timed(call, count):
        start = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - start) / count

    def reordering(path):
        made, feed = session(path, True)
        for _ in range(50):
            made.run(None, feed)
        name = made.end_profiling()
        with open(name) as file:
            events = json.load(file)
        os.remove(name)
        own, all = 1e-9, 1e-9
        for event in events:
            if event.get("cat") == "Node" and event.get("name", "").endswith("_kernel_time"):
                all += event["dur"]
                if not event.get("args", {}).get("op_name", "").startswith("Reorder"):
                    own += event["dur"]
        return 1 - own / all

    def measure(kind, path):
        made, feed = session(path, False)
        call = lambda: made.run(None, feed)
        call()
        once = timed(call, 2)
        count = max(1, min(10000, int(0.003 / max(once, 1e-7))))
        seconds = min(timed(call, count) for _ in range(5 if once < 0.05 else 2))
        return seconds * (1 - reordering(path)) if kind == "step" else seconds

    for line in sys.stdin:
        kind, path = line.rstrip("\\n").split(" ", 1)
        try:
            answer = repr(measure(kind, path))
        except Exception as error:
            answer = str(error).replace("\\n", " ")[:300]
        # Before the answer: the next network comes under the same name.
        os.remove(path)
        print(answer, flush=True)
    """
}
