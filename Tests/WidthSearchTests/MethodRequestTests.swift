import Methods
import Support
import Testing

@Suite("A method with settings of its own")
struct MethodRequestTests {
  @Test("Settings of the method and of its search are told apart")
  func reading() throws {
    let plain = try MethodRequest(parsing: "dmcp")
    #expect(plain.name == "dmcp" && plain.settings.isEmpty && plain.epochs == nil && plain.place == .everywhere)
    let own = try MethodRequest(parsing: "network-slimming:width=2,epochs=30%,learning-rate=0.05,direct")
    #expect(own.name == "network-slimming" && own.settings == ["width": "2"] && own.place == .direct)
    #expect(own.epochs == .part(0.3) && own.learningRate == 0.05)
    let method = try WidthOptimizers.named(own.name, settings: own.settings)
    let recipe = try Recipe.named("small")
    let search = try own.searchRecipe(for: method, from: recipe, epochs: 7)
    #expect(search.epochs == Int((0.3 * Double(recipe.epochs)).rounded()) && search.learningRate == 0.05)
    #expect(try plain.searchRecipe(for: WidthOptimizers.named("dmcp"), from: recipe, epochs: 7).epochs == 7)
    #expect(try MethodRequest(parsing: "dmcp:epochs=40").epochs == .number(40))
    #expect(MethodRequest.Epochs.part(0.1).count(of: 2) == 1)
  }

  @Test(
    "What is wrong is refused with an example",
    arguments: [
      "dmcp:", "dmcp:epochs", "dmcp:epochs=0", "dmcp:epochs=0%", "dmcp:epochs=-1", "dmcp:learning-rate=nan", "dmcp:=2",
      "dmcp:epochs=1,epochs=2", "dmcp:direct,direct", "dmcp:direct,transferred", "dmcp:everywhere", "uniform:epochs=2",
      "dcmp:epochs=2", "",
    ])
  func wrong(text: String) { #expect(throws: UsageFailure.self) { try MethodRequest(parsing: text) } }
}
