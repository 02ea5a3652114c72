import Foundation
import Testing
import Torch

@testable import Training

/// Any width is safe: what a width search may ask of the convolution kernels, against double precision.
///
/// Kernels were found that are wrong, or crash, or never end, at widths that are no multiple of 8 (oneDNN issue 6035).
/// `scripts/sweep-convolutions` runs the full form under other instruction sets, each form in a process of its own.
@Suite struct ConvolutionSweepTests {
  static let tolerance = 1e-4
  static let requested = ProcessInfo.processInfo.environment["WIDTH_TRANSFER_SWEEP"]

  @Test("Every form of convolution is right at odd widths, forward and backward", arguments: ConvolutionForm.all)
  func short(form: ConvolutionForm) throws {
    for entry in form.shortCases {
      let error = try entry.error()
      #expect(error < Self.tolerance, "\(entry): relative error \(error)")
    }
  }

  @Test("The full sweep of one form, when scripts/sweep-convolutions asks for it", .enabled(if: requested != nil))
  func full() throws {
    let form = try #require(ConvolutionForm.all.first { $0.name == Self.requested }, "known: \(ConvolutionForm.all)")
    let journal = ProcessInfo.processInfo.environment["WIDTH_TRANSFER_SWEEP_JOURNAL"]
    let cases = form.fullCases
    var worst = 0.0
    var failures = 0
    for entry in cases {
      // Should the kernel crash or hang, the script finds here what was being tried.
      if let journal { try Data("\(entry)\n".utf8).write(to: URL(fileURLWithPath: journal)) }
      let error = try entry.error()
      worst = max(worst, error)
      if error >= Self.tolerance { failures += 1 }
      #expect(error < Self.tolerance, "\(entry): relative error \(error)")
    }
    print("sweep: \(form.name) cases \(cases.count) wrong \(failures) worst \(String(format: "%.1e", worst))")
  }

  @Test(
    "The defect itself: a strided 1×1 convolution, channels-last, without the protection",
    .enabled(if: requested == "reproduce"))
  func unprotected() throws {
    let form = try #require(ConvolutionForm.all.first { $0.name == "1x1-stride2" })
    // With AVX2 on small maps, with AVX-512 on larger ones.
    for (input, output, batch, side) in [
      (6, 15, 16, 32), (4, 9, 16, 32), (3, 7, 16, 32), (7, 12, 16, 32), (8, 16, 6, 112),
    ] {
      let entry = ConvolutionCase(
        form: form, input: input, output: output, batch: batch, side: side, format: .channelsLast, isSliced: false)
      let protected = try entry.error()
      print("reproduce: \(entry): protected \(String(format: "%.1e", protected)), ", terminator: "")
      fflush(nil)
      print("unprotected \(String(format: "%.1e", try entry.error(isProtected: false)))")
      fflush(nil)
    }
  }
}
