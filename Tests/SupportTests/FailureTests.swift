import Support
import Testing

@Suite struct FailureTests {
  @Test func kindsHaveTheDocumentedExitCodes() {
    let kinds: [(FileFailure.Kind, Int32)] = [(.missing, 66), (.badData, 65), (.cannotCreate, 73), (.io, 74)]
    for (kind, code) in kinds {
      #expect(FileFailure(kind, path: "a", reason: "b").exitCode.rawValue == code)
    }
    #expect(UsageFailure("x").exitCode.rawValue == 64)
  }

  @Test func messagesNameTheFile() {
    #expect("\(FileFailure(.badData, path: "w.json", reason: "line 3: no"))" == "w.json: line 3: no")
  }
}
