import Networks
import Support
import Testing
import Transfer

@Suite struct ProjectionTests {
  @Test("A projection reads as it is written on the command line")
  func parsing() throws {
    #expect(
      try Projection(parsing: "width=0.707,depth=0.5,resolution=160,data=20%")
        == Projection(width: 0.707, depth: 0.5, resolution: 160, data: 0.2))
    #expect(try Projection(parsing: "data=0.05") == Projection(data: 0.05))
    #expect(try Projection(parsing: " resolution = 64 , width=2 ") == Projection(width: 2, resolution: 64))
    #expect(try Projection(parsing: "data=100%") == .identity)
  }

  @Test(
    "A projection survives being written and read again",
    arguments: [
      Projection(width: 0.707, depth: 0.5, resolution: 160, data: 0.2), .identity, Projection(data: 1.0 / 3),
      Projection(depth: 2), Projection(width: 0.3120001, data: 0.07), Projection(data: 0.0001),
    ])
  func roundTrip(projection: Projection) throws {
    #expect(try Projection(parsing: projection.description) == projection)
  }

  @Test("The written form is the shortest")
  func description() {
    #expect(
      Projection(width: 0.707, depth: 0.5, resolution: 160, data: 0.2).description
        == "width=0.707,depth=0.5,resolution=160,data=20%")
    #expect(Projection(depth: 2).description == "depth=2")
  }

  @Test(
    "What is wrong with a projection is named",
    arguments: [
      ("", "name=value"), ("width", "name=value"), ("width=", "name=value"), ("width=0.5,", "name=value"),
      ("width=a", "width is a positive multiplier"), ("width=0", "width is a positive multiplier"),
      ("depth=-1", "depth is a positive multiplier"), ("depth=inf", "depth is a positive multiplier"),
      ("resolution=1.5", "resolution is a side in pixels"), ("resolution=0", "resolution is a side in pixels"),
      ("resolution=99999999999999999999", "resolution is a side in pixels"), ("data=120%", "up to 100%"),
      ("data=20", "write 20%"), ("data=0%", "above 0"), ("data=nan", "a share above 0"),
      ("width=1,width=2", "given twice"), ("widht=0.5", "no \"widht\""),
    ])
  func errors(text: String, part: String) throws {
    let error = #expect(throws: UsageFailure.self) { try Projection(parsing: text) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("width=0.707,depth=0.5") == true)
  }

  @Test("A projected network is scaled in depth, then in width, then in resolution")
  func applying() throws {
    let target = try NetworkZoo.network(named: "resnet50")
    let source = try Projection(width: 0.707, depth: 0.5, resolution: 160, data: 0.2).applied(to: target)
    #expect(source.stages.map(\.blocks.count) == [2, 2, 3, 2])
    #expect(source.input == Shape(channels: 3, height: 160, width: 160))
    #expect(try source.widths["conv1"] == 48)
    #expect(try Projection.identity.applied(to: target) == target)
    let vgg = try NetworkZoo.network(named: "vgg16_cifar")
    #expect(throws: NetworkFailure.self) { try Projection(resolution: 8).applied(to: vgg) }
  }
}
