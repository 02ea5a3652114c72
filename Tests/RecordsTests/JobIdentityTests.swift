import Testing

@testable import Records

@Suite struct JobIdentityTests {
  private struct Settings: Codable {
    var epochs = 10
    var rate = 0.1
  }

  private struct Old: JobIdentity {
    var network: [String] = ["a"]
    var settings = Settings()
    var seed = 0
    static let kind = "toy"
    static let usual = Old()
    static let essential: Set = ["network"]
  }

  /// The same job in a later version, which knows more settings.
  private struct New: JobIdentity {
    struct Settings: Codable {
      var epochs = 10
      var rate = 0.1
      var momentum = 0.9
    }

    var network: [String] = ["a"]
    var settings = Settings()
    var seed = 0
    var dropout = 0.0
    static let kind = "toy"
    static let usual = New()
    static let essential: Set = ["network"]
  }

  @Test("What is usual is left out, what is essential never")
  func usual() throws {
    #expect(try Old().text == #"{"job":"toy","network":["a"]}"#)
    var job = Old()
    job.settings.rate = 0.25
    job.seed = 3
    #expect(try job.text == #"{"job":"toy","network":["a"],"seed":3,"settings":{"rate":0.25}}"#)
    #expect(try job.digest != Old().digest)
  }

  @Test("A setting that is added later does not orphan a folder, and says so when it is used")
  func growth() throws {
    #expect(try New().text == Old().text)
    var (old, new) = (Old(), New())
    old.settings.epochs = 3
    new.settings.epochs = 3
    #expect(try new.text == old.text && new.digest == old.digest)
    new.settings.momentum = 0
    #expect(try new.text != old.text)
  }
}
