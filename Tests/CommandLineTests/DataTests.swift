import Foundation
import Testing

@Suite struct DataTests {
  @Test("data verify finds sound data sound, and says what is wrong with exit code 65")
  func verify() throws {
    let place = try Workplace()
    try place.run("data", "verify", "data").expect(0)
    let sound = try place.run("data", "verify", "data", "--json", "--threads", "2")
    sound.expect(0)
    #expect(try (sound.json()["faults"] as? [Any])?.isEmpty == true && sound.json()["classes"] as? Int == 4)
    // A folder of class folders with a file that is no image.
    for name in ["a", "b"] {
      try FileManager.default.createDirectory(
        atPath: place.file("photos/\(name)"), withIntermediateDirectories: true)
      for index in 0..<3 { try place.write("no image", to: "photos/\(name)/\(index).jpg") }
    }
    let broken = try place.run("data", "verify", "photos")
    // The list is the result, so it is on standard output whatever the exit code.
    #expect(broken.code == 65)
    #expect(broken.output.contains("6 of 6 images cannot be used") && broken.output.contains("photos/a/0.jpg"))
    try place.run("data", "verify", "nowhere").expect(66)
    try place.run("data", "verify", "data", "--threads", "0").expect(64, "--threads 0")
  }
}
