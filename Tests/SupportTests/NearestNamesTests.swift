import Support
import Testing

@Suite struct NearestNamesTests {
  @Test func theNearestComesFirst() {
    #expect(nearestNames(to: "trian", in: ["search", "train", "run"], count: 1) == ["train"])
    #expect(nearestNames(to: "RESNET21", in: ["resnet20", "vgg11"], count: 2) == ["resnet20", "vgg11"])
  }

  @Test func longListsAreShortened() {
    #expect(shortList(["a", "b"]) == "a, b")
    #expect(shortList(["a", "b", "c", "d"], limit: 2) == "a, b and 2 more")
  }
}
